"""Charts as pictures, for the Dagster UI: rows in, an Altair chart or a PNG out."""

import base64
import struct
import textwrap
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import altair as alt

from dagster_project.base.errors import in_markdown
from dagster_project.report.charts.flows import pair_layers
from dagster_project.report.charts.style import (
    COLOURS,
    CONFIG,
    FLOWS,
    LIGHT_TO_DARK,
    Row,
    flow_colours,
    plain_rows,
    unit_of,
)

_SHAPES = ("circle", "square", "triangle-up")  # as redundant as the colours
_PARTS_OF_A_YEAR = {"": 1, "S": 2, "Q": 4, "M": 12}
_COLUMNS = 3  # panels side by side
_PIXELS_PER_LETTER = 6


def flows_over_time(
    rows: Iterable[Row],
    *,
    title: str,
    about: Sequence[str] = (),
    flows: Sequence[str] = FLOWS,
    width: int = 190,
) -> alt.FacetChart:
    """Draw receipts, payments and balance over time, one panel per member, in order of the rows.

    rows: `member`, `period` (as SDMX writes it), and each flow's amount, None if it is not stated.
    about: lines below the title: scope and sources. width: of a panel, in pixels.

    Raises ValueError if the periods have more than one frequency.
    """
    letters = width // _PIXELS_PER_LETTER
    rows = [{**row, "member": textwrap.fill(row["member"], letters)} for row in plain_rows(rows)]
    members = list(dict.fromkeys(row["member"] for row in rows))
    points = [
        {
            "member": row["member"],
            "year": year,
            "period": period,
            "flow": flow,
            "usd_m": row.get(f"{flow}_usd_m"),
        }
        for row, year, period in _with_gaps(rows)
        for flow in flows
    ]
    line = _flow_lines(sorted({point["year"] for point in points}), flows)
    zero = alt.Chart().mark_rule(strokeWidth=0.7).encode(y=alt.datum(0))
    header = alt.Header(labelExpr="split(datum.label, '\\n')", labelLimit=width)
    panels = (
        alt.layer(zero, line, data=alt.Data(values=points))
        .properties(width=width, height=110)
        .facet(
            facet=alt.Facet("member:N", title=None, sort=members, header=header),
            columns=min(_COLUMNS, len(members)),
        )
        .resolve_scale(y="independent")
    )
    return _finish(panels, title, about)


def _flow_lines(years: Sequence[float], flows: Sequence[str]) -> alt.Chart:
    """Return a line with points per flow, over these years."""
    return (
        alt.Chart()
        .mark_line(point=alt.OverlayMarkDef(size=18, filled=True), strokeWidth=1.6)
        .encode(
            x=alt.X(
                "year:Q",
                title=None,
                scale=alt.Scale(domain=[years[0], years[-1]], nice=False, padding=6),
                axis=alt.Axis(format="d", tickMinStep=1, tickCount=5),
            ),
            y=alt.Y("usd_m:Q", title=None, axis=alt.Axis(format=",~f", tickCount=4)),
            color=alt.Color("flow:N", title=None, scale=flow_colours(flows)),
            shape=alt.Shape("flow:N", title=None).scale(
                domain=list(flows), range=list(_SHAPES[: len(flows)])
            ),
        )
    )


def both_sides(rows: Iterable[Row], *, title: str, about: Sequence[str] = ()) -> alt.LayerChart:
    """Draw receipts and payments of one period as bars, one pair per member, in order of the rows.

    rows: `member`, `receipts_usd_m`, `payments_usd_m`; None if it is not stated.
    """
    plain = plain_rows(rows)
    unit = unit_of(plain, "receipts_usd_m", "payments_usd_m")
    chart = pair_layers(unit, "member").properties(
        data=alt.Data(values=plain), width=480, height=alt.Step(14)
    )
    return _finish(chart, title, [unit, *about])


def shares_by_size(
    rows: Iterable[Row], sizes: Sequence[str], *, title: str, about: Sequence[str] = ()
) -> alt.LayerChart:
    """Draw, for each group, the share of figures in each size class, from light to dark.

    rows: `group`, `size` (one of `sizes`, five at most), `figures`.
    """
    values = [{**row, "order": sizes.index(row["size"])} for row in plain_rows(rows)]
    groups = list(dict.fromkeys(value["group"] for value in values))
    base = alt.Chart().encode(y=alt.Y("group:N", title=None, sort=groups).axis(labelLimit=300))
    bar = base.mark_bar(stroke="white", strokeWidth=0.5).encode(
        x=alt.X("figures:Q", title="share of the figures", stack="normalize"),
        color=alt.Color("size:N", title=None, sort=list(sizes)).scale(
            domain=list(sizes), range=list(LIGHT_TO_DARK[: len(sizes)])
        ),
        order=alt.Order("order:Q"),
    )
    total = base.mark_text(align="left", dx=4, fontSize=10).encode(
        x=alt.datum(1), text=alt.Text("sum(figures):Q", format=",~f")
    )
    chart = alt.layer(bar, total, data=alt.Data(values=values))
    return _finish(chart.properties(width=420, height=alt.Step(24)), title, about)


def png(chart: alt.TopLevelMixin, scale: float = 1) -> bytes:
    """Return a chart as PNG; `scale` 2 for high-density screens."""
    import vl_convert

    return _deflated(vl_convert.vegalite_to_png(chart.to_dict(), scale=scale))


def markdown(chart: Any) -> str:
    """Return a chart as Markdown with the picture embedded, for an asset's metadata."""
    picture = base64.b64encode(png(chart)).decode()
    return f"![{in_markdown(chart.title.text)}](data:image/png;base64,{picture})"


def _finish(chart: Any, title: str, about: Sequence[str]) -> Any:
    heading = alt.TitleParams(title, subtitle=list(about), anchor="start", offset=12)
    return chart.properties(title=heading, background=COLOURS["paper"]).configure(**CONFIG)


def _deflated(image: bytes) -> bytes:
    """Compress a PNG's pixels at zlib's best level: vl-convert's are three times as large.

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


def _with_gaps(rows: Sequence[Row]) -> Iterator[tuple[Row, float, str]]:
    """Yield each member's rows with year and period, and an empty one for each gap.

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
    """Return S, Q or M; empty for years."""
    part = period[5:6]
    return "M" if part.isdigit() else part


def _count(period: str) -> int:
    """Return a period's number; consecutive periods of one frequency differ by one."""
    parts = _PARTS_OF_A_YEAR[_frequency(period)]
    return int(period[:4]) * parts + (int(period[5:].lstrip("SQ")) - 1 if parts > 1 else 0)
