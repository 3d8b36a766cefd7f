"""The report's charts, as Vega-Lite specifications without data.

The data are put in by the page, from the rows of the table beside the chart. Direct labels rather
than legends, thin grids, one thing each.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import altair as alt

# One colour a role: the blue and the vermilion of the marts' own charts (Okabe and Ito), which
# people with any kind of colour vision can tell apart, the latter darkened. They colour labels too,
# so each has a contrast of at least 4.5 to the paper; a test holds them to it.
COLOURS: Mapping[str, str] = {
    "paper": "#ffffff",
    "ink": "#1d2733",
    "muted": "#55616f",
    "grid": "#e3e7ec",
    "receipts": "#0072b2",
    "payments": "#b84e00",
    "surplus": "#0072b2",
    "deficit": "#b84e00",
    "balance": "#1d2733",
}
FONT = "'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
DATA = "rows"
# Altair's own validation takes most of a report's time; the tests turn it on.
VALIDATE = False

_CONFIG: Mapping[str, Any] = {
    "font": FONT,
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelColor": COLOURS["muted"],
        "titleColor": COLOURS["muted"],
        "gridColor": COLOURS["grid"],
        "domainColor": COLOURS["muted"],
        "tickColor": COLOURS["muted"],
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "axisY": {"domain": False, "ticks": False, "titleAngle": 0, "titleAlign": "left"},
    "axisX": {"grid": False},
    "text": {"color": COLOURS["ink"], "fontSize": 12},
    "rule": {"color": COLOURS["muted"]},
    "line": {"strokeWidth": 2.25},
}


@cache
def balance_over_time(unit: str, turned: str | None = None) -> dict[str, Any]:
    """Receipts and payments as lines, the balance as bars, by year; unit `bn` or `m`.

    Rows: `period`, `receipts_usd_m`, `payments_usd_m`, `balance_usd_m`; `turned` is the column that
    is true in the year to be marked.
    """
    base = _base(unit).transform_calculate(year="toDate(datum.period + '-01-01')")
    x = alt.X("year:T", axis=_years())
    bars = base.mark_bar(opacity=0.35, width={"band": 0.7}).encode(
        x=alt.X("year:T", timeUnit="year", bandPosition=0.5, title=None),
        y=alt.Y("balance:Q", axis=_money_axis(unit)),
        color=_by_sign(),
        tooltip=_tooltips(unit, "period"),
    )
    layers: list[Any] = [bars]
    for flow in ("receipts", "payments"):
        stated = base.transform_filter(f"isValid(datum.{flow})")
        # A line joins years that follow each other: over a gap there is none.
        lines = stated.transform_window(
            place="row_number()", sort=[alt.SortField("year")]
        ).transform_calculate(stretch="year(datum.year) - datum.place")
        layers.append(
            lines.mark_line(color=COLOURS[flow], point={"color": COLOURS[flow], "size": 12}).encode(
                x=x, y=f"{flow}:Q", detail="stretch:N", tooltip=_tooltips(unit, "period")
            )
        )
        layers.append(
            stated.transform_window(
                place="row_number()", sort=[alt.SortField("year", order="descending")]
            )
            .transform_filter("datum.place == 1")
            .mark_text(align="left", dx=6, color=COLOURS[flow], fontWeight=600)
            .encode(x=x, y=f"{flow}:Q", text=alt.value(flow.capitalize()))
        )
    if turned:
        marked = base.transform_filter(f"datum.{turned}").transform_calculate(
            label="datum.period + ': first surplus'"
        )
        layers.append(marked.mark_rule(strokeDash=[3, 3]).encode(x=x))
        layers.append(
            marked.mark_text(align="left", dx=6, fontWeight=600, baseline="top").encode(
                x=x, y=alt.value(0), text="label:N"
            )
        )
    return _spec(alt.layer(*layers).properties(height=300, padding={"right": 66, "left": 2}))


@cache
def ranked_bars(unit: str, flow: str, member: str) -> dict[str, Any]:
    """One bar a member, longest first as the rows are, with its value at its end."""
    both_signs = flow == "balance"
    base = _base(unit).encode(
        y=_members(member),
        # Room on both sides for the values, where bars go both ways.
        x=alt.X(f"{flow}:Q", axis=None, scale=alt.Scale(padding=44 if both_signs else 0)),
    )
    bars = base.mark_bar().encode(
        color=_by_sign() if both_signs else alt.value(COLOURS[flow]),
        tooltip=_tooltips(unit, member),
    )
    labels = (
        base.transform_calculate(label=_format(flow, unit))
        .mark_text(
            align=alt.expr(f"datum.{flow} < 0 ? 'right' : 'left'"),
            dx=alt.expr(f"datum.{flow} < 0 ? -4 : 4"),
        )
        .encode(text="label:N")
    )
    return _spec(
        alt.layer(bars, labels).properties(
            height=alt.Step(24), padding={"right": 0 if both_signs else 48, "left": 2}
        )
    )


@cache
def paired_bars(unit: str, member: str) -> dict[str, Any]:
    """Receipts and payments of each member as two bars, with their values; nothing where NULL."""
    base = (
        _base(unit)
        .transform_fold(["receipts", "payments"], as_=["flow", "amount"])
        .transform_filter("isValid(datum.amount)")
        .transform_calculate(label=f"{_format('amount', unit)} + ' ' + datum.flow")
        .encode(
            y=_members(member),
            yOffset=alt.YOffset("flow:N", sort=["receipts", "payments"]),
            x=alt.X("amount:Q", axis=None),
        )
    )
    bars = base.mark_bar().encode(
        color=alt.condition(
            "datum.flow == 'receipts'",
            alt.value(COLOURS["receipts"]),
            alt.value(COLOURS["payments"]),
        ),
        tooltip=_tooltips(unit, member),
    )
    labels = base.mark_text(align="left", dx=4, fontSize=11).encode(text="label:N")
    chart = alt.layer(bars, labels).properties(
        height=alt.Step(46), padding={"right": 92, "left": 2}
    )
    return _spec(chart)


@cache
def two_sides(unit: str) -> dict[str, Any]:
    """What the receiver states against what the payer states, by period, joined by a line.

    Rows: `period`, `receipts_stated_usd_m`, `payments_stated_usd_m`.
    """
    base = alt.Chart(alt.NamedData(DATA)).transform_calculate(
        receipts=_scaled("receipts_stated_usd_m", unit),
        payments=_scaled("payments_stated_usd_m", unit),
    )
    x = alt.X("period:O", axis=alt.Axis(title=None, labelAngle=0))
    gap = base.mark_rule(strokeWidth=3, color=COLOURS["grid"]).encode(
        x=x, y=alt.Y("receipts:Q", axis=_money_axis(unit)), y2="payments:Q"
    )
    layers: list[Any] = [gap]
    for flow, who in (("receipts", "Receiver says"), ("payments", "Payer says")):
        points = base.transform_filter(f"isValid(datum.{flow})")
        layers.append(
            points.mark_point(filled=True, size=90, color=COLOURS[flow], opacity=1).encode(
                x=x,
                y=f"{flow}:Q",
                tooltip=["period:O", alt.Tooltip(f"{flow}:Q", format=",.1f", title=who)],
            )
        )
        layers.append(
            points.transform_window(
                place="row_number()", sort=[alt.SortField("period", order="descending")]
            )
            .transform_filter("datum.place == 1")
            .mark_text(align="left", dx=9, color=COLOURS[flow], fontWeight=600)
            .encode(x=x, y=f"{flow}:Q", text=alt.value(who))
        )
    return _spec(alt.layer(*layers).properties(height=260, padding={"right": 96, "left": 2}))


@cache
def countries_over_time() -> dict[str, Any]:
    """How many countries state each flow, by year. Rows: `period`, `flow`, `countries`."""
    flows = ["receipts", "payments"]
    lines = (
        alt.Chart(alt.NamedData(DATA))
        .transform_calculate(year="toDate(datum.period + '-01-01')")
        .mark_line()
        .encode(
            x=alt.X("year:T", axis=_years()),
            y=alt.Y("countries:Q", axis=_axis("countries")),
            # The lines cross and meet, so no place beside them is one line's alone.
            color=alt.Color(
                "flow:N",
                scale=alt.Scale(domain=flows, range=[COLOURS[flow] for flow in flows]),
                legend=alt.Legend(orient="top", title=None, offset=24, labelFontSize=12),
            ),
            tooltip=["period:N", "flow:N", "countries:Q"],
        )
    )
    return _spec(alt.layer(lines).properties(height=260, padding={"right": 8, "left": 2}))


@cache
def counted_bars(label: str, value: str, title: str) -> dict[str, Any]:
    """How many of each kind: one bar a row, in the order of the rows, the count at its end."""
    base = alt.Chart(alt.NamedData(DATA)).encode(
        y=_members(label),
        x=alt.X(f"{value}:Q", axis=None, title=title),
    )
    bars = base.mark_bar(color=COLOURS["receipts"]).encode(tooltip=[f"{label}:N", f"{value}:Q"])
    names = base.mark_text(align="left", dx=4).encode(text=alt.Text(f"{value}:Q", format=","))
    chart = alt.layer(bars, names).properties(height=alt.Step(24), padding={"right": 48, "left": 2})
    return _spec(chart)


def unit_of(values: list[Any]) -> str:
    """Return the unit in which millions of US dollars read best: `bn`, or `m` for small ones."""
    known = [abs(value) for value in values if value is not None]
    return "bn" if known and max(known) >= 2000 else "m"  # noqa: PLR2004


def _base(unit: str) -> alt.Chart:
    """Receipts, payments and balance in the unit."""
    return alt.Chart(alt.NamedData(DATA)).transform_calculate(
        receipts=_scaled("receipts_usd_m", unit),
        payments=_scaled("payments_usd_m", unit),
        balance=_scaled("balance_usd_m", unit),
    )


def _scaled(column: str, unit: str) -> str:
    """NULL stays NULL: it is not zero."""
    value = f"datum['{column}']"
    return f"isValid({value}) ? {value} / {1000 if unit == 'bn' else 1} : null"


def _format(field: str, unit: str) -> str:
    """A value as text, with a real minus sign."""
    number = f"format(datum.{field}, '{',.1f' if unit == 'bn' else ',.0f'}')"
    return f"replace({number}, '-', '\u2212')"


def _by_sign() -> Any:
    return alt.condition(
        "datum.balance >= 0", alt.value(COLOURS["surplus"]), alt.value(COLOURS["deficit"])
    )


def _members(column: str) -> alt.Y:
    """Names on the left, in the order of the rows; long ones in up to three lines."""
    lines = "slice(split(replace(datum.label, regexp('(.{1,26})( +|$)', 'g'), '$1|'), '|'), 0, -1)"
    short = (
        f"length({lines}) > 3 ? slice(split(join(slice({lines}, 0, 3), '|') + '\u2026', '|'), 0, 3)"
    )
    axis = alt.Axis(
        title=None, domain=False, ticks=False, labelLimit=180, labelExpr=f"{short} : {lines}"
    )
    return alt.Y(f"{column}:N", sort=None, axis=axis)


def _years() -> alt.Axis:
    return alt.Axis(title=None, format="%Y", tickCount=8, labelFlush=True)


def _axis(title: str | None) -> alt.Axis:
    """A value axis with its title above it, reading from left to right."""
    return alt.Axis(title=title, tickCount=5, titleAnchor="start", titleY=-10, titleX=0)


def _money_axis(unit: str) -> alt.Axis:
    return _axis("billion US dollars" if unit == "bn" else "million US dollars")


def _tooltips(unit: str, key: str) -> list[Any]:
    flows = [
        alt.Tooltip(f"{flow}:Q", format=",.2f" if unit == "bn" else ",.1f", title=f"{flow}, {unit}")
        for flow in ("receipts", "payments", "balance")
    ]
    return [alt.Tooltip(f"{key}:N", title=" "), *flows]


def _spec(chart: Any) -> dict[str, Any]:
    autosize = alt.AutoSizeParams(type="fit-x", contains="padding")
    spec = chart.properties(width="container", autosize=autosize).to_dict(validate=VALIDATE)
    spec.pop("datasets", None)
    return {**spec, "config": _CONFIG}
