"""Charts of flows, one function a family. They take rows and know nothing of where these are from.

Rows are plain dicts; money is in millions of US dollars. A number that is missing stays a gap: it
is never drawn as zero. Colours are those of Okabe and Ito, which people with any kind of colour
vision can tell apart; the shape of a point says the same once more.
"""

import base64
import struct
import textwrap
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import altair as alt

Row = Mapping[str, Any]

UNIT = "million US dollars"
FLOWS = ("receipts", "payments", "balance")
_COLOURS = ("#0072B2", "#D55E00", "#000000")
_SHAPES = ("circle", "square", "triangle-up")
_LIGHT_TO_DARK = ("#d9d9d9", "#5ec962", "#21918c", "#3b528b", "#440154")  # grey, then viridis
_MISSING = "#767676"
_PARTS_OF_A_YEAR = {"": 1, "S": 2, "Q": 4, "M": 12}
_COLUMNS = 3  # panels side by side
_PIXELS_A_LETTER = 6


def flows_over_time(
    rows: Iterable[Row],
    *,
    title: str,
    about: Sequence[str] = (),
    flows: Sequence[str] = FLOWS,
    width: int = 190,
) -> alt.FacetChart:
    """Draw receipts, payments and balance over time, a panel a member, in the order of the rows.

    rows: `member`, `period` (as SDMX writes it), and each of the flows, None where it is not
    stated. about: lines below the title: scope and sources. width: of a panel, in pixels.

    Raises ValueError if the periods are of more than one frequency.
    """
    letters = width // _PIXELS_A_LETTER
    rows = [{**row, "member": textwrap.fill(row["member"], letters)} for row in rows]
    members = list(dict.fromkeys(row["member"] for row in rows))
    points = [
        {
            "member": row["member"],
            "year": year,
            "period": period,
            "flow": flow,
            "usd_m": _number(row.get(flow)),
        }
        for row, year, period in _with_gaps(rows)
        for flow in flows
    ]
    years = sorted({point["year"] for point in points})
    line = (
        alt.Chart()
        .mark_line(point=alt.OverlayMarkDef(size=18, filled=True), strokeWidth=1.6)
        .encode(
            x=alt.X(
                "year:Q",
                title=None,
                scale=alt.Scale(domain=[years[0], years[-1]], nice=False, padding=6),
                axis=alt.Axis(format="d", tickMinStep=1, tickCount=5, grid=False),
            ),
            y=alt.Y("usd_m:Q", title=None, axis=alt.Axis(format=",~f", tickCount=4, grid=True)),
            tooltip=["member:N", "period:N", "flow:N", alt.Tooltip("usd_m:Q", format=",.1f")],
            **_by_flow(flows),
        )
    )
    zero = alt.Chart().mark_rule(color="#999999", strokeWidth=0.7).encode(y=alt.datum(0))
    panels = (
        alt.layer(zero, line, data=alt.Data(values=points))
        .properties(width=width, height=110)
        .facet(
            facet=alt.Facet(
                "member:N",
                title=None,
                sort=members,
                header=alt.Header(labelExpr="split(datum.label, '\\n')", labelLimit=width),
            ),
            columns=min(_COLUMNS, len(members)),
        )
        .resolve_scale(y="independent")
    )
    return _finished(panels, title, about)


def both_sides(rows: Iterable[Row], *, title: str, about: Sequence[str] = ()) -> alt.LayerChart:
    """Draw receipts and payments of one period as bars, a pair a member, in the order of the rows.

    rows: `member`, `receipts`, `payments`; None where it is not stated, which is written as such.
    """
    bars = [
        {"member": row["member"], "flow": flow, "usd_m": _number(row.get(flow))}
        for row in rows
        for flow in FLOWS[:2]
    ]
    members = list(dict.fromkeys(bar["member"] for bar in bars))
    base = alt.Chart().encode(
        y=alt.Y("member:N", title=None, sort=members, axis=alt.Axis(labelLimit=220)),
        yOffset=alt.YOffset("flow:N", sort=list(FLOWS[:2])),
    )
    bar = base.mark_bar().encode(
        x=alt.X("usd_m:Q", title=UNIT, axis=alt.Axis(format=",~f", tickCount=6)),
        color=_by_flow(FLOWS[:2])["color"],
        tooltip=["member:N", "flow:N", alt.Tooltip("usd_m:Q", format=",.1f")],
    )
    missing = (
        base.mark_text(align="left", dx=3, fontSize=9, color=_MISSING)
        .encode(x=alt.datum(0), text=alt.value("not stated"))
        .transform_filter("datum.usd_m === null")
    )
    chart = alt.layer(bar, missing, data=alt.Data(values=bars))
    return _finished(chart.properties(width=480, height=alt.Step(11)), title, about)


def shares_by_size(
    rows: Iterable[Row], sizes: Sequence[str], *, title: str, about: Sequence[str] = ()
) -> alt.LayerChart:
    """Draw, for each group, how many figures are in each class of size, from light to dark.

    rows: `group`, `size` (one of `sizes`, five at most), `figures`.
    """
    values = [
        {
            "group": row["group"],
            "size": row["size"],
            "order": sizes.index(row["size"]),
            "figures": int(row["figures"]),
        }
        for row in rows
    ]
    groups = list(dict.fromkeys(value["group"] for value in values))
    bar = (
        alt.Chart(alt.Data(values=values))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            y=alt.Y("group:N", title=None, sort=groups, axis=alt.Axis(labelLimit=300)),
            x=alt.X("figures:Q", title="share of the figures", stack="normalize"),
            color=alt.Color(
                "size:N",
                sort=list(sizes),
                title=None,
                scale=alt.Scale(domain=list(sizes), range=list(_LIGHT_TO_DARK[: len(sizes)])),
            ),
            order=alt.Order("order:Q"),
            tooltip=["group:N", "size:N", alt.Tooltip("figures:Q", format=",~f")],
        )
    )
    total = (
        alt.Chart(alt.Data(values=values))
        .mark_text(align="left", dx=4, fontSize=10)
        .encode(
            y=alt.Y("group:N", sort=groups),
            x=alt.datum(1),
            text=alt.Text("sum(figures):Q", format=",~f"),
        )
    )
    chart = alt.layer(bar, total).properties(width=420, height=alt.Step(24))
    return _finished(chart, title, about)


def png(chart: alt.TopLevelMixin, scale: float = 1) -> bytes:
    """Return a chart as PNG; `scale` 2 for screens with narrow pixels."""
    import vl_convert

    return _deflated(vl_convert.vegalite_to_png(chart.to_dict(), scale=scale))


def markdown(chart: Any) -> str:
    """Return a chart as Markdown that holds the picture itself, for the metadata of an asset."""
    return f"![{chart.title.text}](data:image/png;base64,{base64.b64encode(png(chart)).decode()})"


def _deflated(image: bytes) -> bytes:
    """Compress a PNG's pixels as well as zlib can: vl-convert leaves them three times as large.

    A PNG is a signature and chunks: length, type, content, CRC (https://www.w3.org/TR/png-3/).
    """
    chunks, at = [], 8
    while at < len(image):
        length, kind = struct.unpack(">I4s", image[at : at + 8])
        chunks.append((kind, image[at + 8 : at + 8 + length]))
        at += length + 12
    pixels = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    smaller = [
        *(chunk for chunk in chunks if chunk[0] not in (b"IDAT", b"IEND")),
        (b"IDAT", zlib.compress(pixels, 9)),
        (b"IEND", b""),
    ]
    return image[:8] + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in smaller
    )


def _finished(chart: Any, title: str, about: Sequence[str]) -> Any:
    return chart.properties(
        title=alt.TitleParams(title, subtitle=list(about), anchor="start", offset=12),
        background="white",
    ).configure(
        font="sans-serif",
        view=alt.ViewConfig(stroke="transparent"),
        axis=alt.AxisConfig(gridColor="#e6e6e6", domainColor="#999999", tickColor="#999999"),
        header=alt.HeaderConfig(labelFontSize=11, labelFontWeight="bold", labelAnchor="start"),
        legend=alt.LegendConfig(orient="top", title=None, labelFontSize=11, labelLimit=300),
        title=alt.TitleConfig(fontSize=14, subtitleFontSize=11, subtitleColor="#555555"),
    )


def _by_flow(flows: Sequence[str]) -> dict[str, Any]:
    """Colour and shape of a flow, the same in every chart."""

    def scale(values: Sequence[Any]) -> alt.Scale:
        return alt.Scale(domain=list(flows), range=list(values[: len(flows)]))

    return {
        "color": alt.Color("flow:N", title=None, scale=scale(_COLOURS)),
        "shape": alt.Shape("flow:N", title=None, scale=scale(_SHAPES)),
    }


def _number(value: Any) -> float | None:
    """A number that JSON can hold: the warehouse's are decimals."""
    return None if value is None else float(value)


def _with_gaps(rows: Sequence[Row]) -> Iterator[tuple[Row, float, str]]:
    """Yield each member's rows with year and period, and one without numbers for each gap.

    The year has a fraction: 2018.5 is the start of the second half of 2018.
    """
    kinds = {_frequency(row["period"]) for row in rows}
    if len(kinds) > 1:
        raise ValueError(f"periods of more than one frequency: {sorted(kinds)}")
    members: dict[str, dict[int, Row]] = {}
    for row in rows:
        members.setdefault(row["member"], {})[_count(row["period"])] = row
    for member, known in members.items():
        parts = _PARTS_OF_A_YEAR[next(iter(kinds))]
        for count in range(min(known), max(known) + 1):
            row = known.get(count, {"member": member, "period": None})
            yield row, count / parts, row["period"] or "not stated"


def _frequency(period: str) -> str:
    """Return S, Q or M; nothing for years."""
    part = period[5:6]
    return "M" if part.isdigit() else part


def _count(period: str) -> int:
    """Number the periods of one frequency: neighbours differ by one."""
    parts = _PARTS_OF_A_YEAR[_frequency(period)]
    return int(period[:4]) * parts + (int(period[5:].lstrip("SQ")) - 1 if parts > 1 else 0)
