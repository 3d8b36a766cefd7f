"""The report's charts: each function takes a query's rows and returns a drawing.

Direct labels rather than legends, thin grids, one message per chart.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import altair as alt

from dagster_project.report.charts.style import (
    COLOURS,
    CONFIG,
    FLOWS,
    Drawing,
    Row,
    flow_colours,
    in_unit,
    member_names,
    scaled,
    tooltips,
    unit_of,
    value_axis,
    written,
)

DATA = "rows"  # the name of the data in a specification: the page supplies them
_PAIR = FLOWS[:2]
_PAIR_COLUMNS = ("receipts_usd_m", "payments_usd_m")
_LARGEST = 10
_CLOSE = 0.1  # share of the largest amount: labels of nearer line ends would overlap
_LINE = 13  # pixels
_GROUPS = ("total", "aggregate", "residual", "group", "other", "unallocated")  # kinds of members
_ROUNDED_AWAY = 0.5  # millions: a smaller rest of the total is not drawn


def balance_over_time(rows: Sequence[Row], turned: str | None = None) -> Drawing:
    """Draw receipts and payments as lines, the balance as bars, by year.

    turned: the column that is true in the year to mark.
    """
    unit = unit_of(rows, *_PAIR_COLUMNS)
    # A layer without data would make Vega warn.
    bounded = tuple(
        flow
        for flow in _PAIR
        if any(row.get(f"{flow}_comparator") not in (None, "=") for row in rows)
    )
    spec = _balance_over_time(unit, turned, _label_to_lift(rows, _PAIR_COLUMNS), bounded)
    return Drawing(spec, rows, unit)


@cache
def _balance_over_time(
    unit: str, turned: str | None, lifted: str | None, bounded: tuple[str, ...]
) -> dict[str, Any]:
    base = in_unit(unit).transform_calculate(year="toDate(datum.period + '-01-01')")
    # Mid-year, so that points align with their bars.
    x = alt.X("year:T", timeUnit="year", bandPosition=0.5, axis=_years())
    bars = base.mark_bar(opacity=0.35, width={"band": 0.7}).encode(
        x=x,
        y=alt.Y("balance:Q", axis=value_axis(unit)),
        color=_by_sign(),
        tooltip=tooltips(unit, "period"),
    )
    layers: list[Any] = [bars]
    for flow in _PAIR:
        # Lines join consecutive years only, not across gaps.
        lines = (
            base.transform_filter(f"isValid(datum.{flow})")
            .transform_window(place="row_number()", sort=[alt.SortField("year")])
            .transform_calculate(stretch="year(datum.year) - datum.place")
        )
        layers += [
            lines.mark_line(color=COLOURS[flow], point={"color": COLOURS[flow], "size": 12}).encode(
                x=x, y=f"{flow}:Q", detail="stretch:N", tooltip=tooltips(unit, "period")
            ),
            _end_label(base, x, flow, flow.capitalize(), lifted),
        ]
        if flow in bounded:
            layers.append(_bound(base, x, flow))
    if turned:
        marked = base.transform_filter(f"datum.{turned}").transform_calculate(
            label="datum.period + ': first surplus'"
        )
        layers += [
            marked.mark_rule(strokeDash=[3, 3]).encode(x=x),
            marked.mark_text(align="left", dx=6, fontWeight=600, baseline="top").encode(
                x=x, y=alt.value(0), text="label:N"
            ),
        ]
    return _spec(alt.layer(*layers), 300, 66)


def ranked_bars(rows: Sequence[Row], flow: str, member: str) -> Drawing:
    """Draw one bar per member, in the order of the rows, with its value at its end."""
    unit = unit_of(rows, f"{flow}_usd_m")
    return Drawing(_ranked_bars(unit, flow, member), rows, unit, flow)


@cache
def _ranked_bars(unit: str, flow: str, member: str) -> dict[str, Any]:
    both_signs = flow == "balance"
    base = in_unit(unit).encode(
        y=member_names(member),
        # Room for the values on both sides, if bars go both ways.
        x=alt.X(f"{flow}:Q", axis=None, scale=alt.Scale(padding=44 if both_signs else 0)),
    )
    bars = base.mark_bar().encode(
        color=_by_sign() if both_signs else alt.value(COLOURS[flow]),
        tooltip=tooltips(unit, member),
    )
    labels = (
        base.transform_calculate(label=written(flow, unit))
        .mark_text(
            align=alt.expr(f"datum.{flow} < 0 ? 'right' : 'left'"),
            dx=alt.expr(f"datum.{flow} < 0 ? -4 : 4"),
        )
        .encode(text="label:N")
    )
    return _spec(alt.layer(bars, labels), alt.Step(24), 0 if both_signs else 48)


def ranked_member_bars(rows: Sequence[Row], member: str) -> Drawing | None:
    """Draw receipts and payments of the largest members, or the balance if only that is stated.

    The last bar is the unallocated rest; totals and other groups are left out. None without
    members.
    """
    members = [row for row in rows if row["member_kind"] not in _GROUPS]
    rest = [row for row in rows if row["member_kind"] == "unallocated" and _is_visible(row)]
    pairs = [row for row in members if any(row[column] is not None for column in _PAIR_COLUMNS)]
    if pairs:
        return paired_bars([*pairs[:_LARGEST], *rest], member)
    balances = [row for row in members if row["balance_usd_m"] is not None]
    if not balances:
        return None
    rest = [row for row in rest if row["balance_usd_m"] is not None]
    return ranked_bars([*balances[:_LARGEST], *rest], "balance", member)


def _is_visible(rest: Row) -> bool:
    """Whether more than a rounding is not allocated, or anything is withheld."""
    withheld = (rest.get(f"withheld_{flow}") for flow in _PAIR)
    amounts = (rest[f"{flow}_usd_m"] or 0 for flow in FLOWS)
    return any(withheld) or any(abs(amount) >= _ROUNDED_AWAY for amount in amounts)


def paired_bars(rows: Sequence[Row], member: str) -> Drawing:
    """Draw receipts and payments of each member as two bars, with their values."""
    unit = unit_of(rows, *_PAIR_COLUMNS)
    spec = _spec(pair_layers(unit, member), alt.Step(50), 110)
    return Drawing(spec, rows, unit, "receipts and payments")


@cache
def pair_layers(unit: str, member: str) -> Any:
    """Return the layers of `paired_bars`. A missing amount is withheld or not stated, not zero."""
    base = (
        in_unit(unit)
        .transform_fold(list(_PAIR), as_=["flow", "amount"])
        .transform_calculate(
            length="isValid(datum.amount) ? datum.amount : 0",
            label=f"isValid(datum.amount) ? {written('amount', unit)} + ' ' + datum.flow"
            " : datum.flow + (datum[datum.flow + '_status'] == 'Q' ? ' withheld' : ' not stated')",
        )
        .encode(
            y=member_names(member),
            yOffset=alt.YOffset("flow:N", sort=list(_PAIR)),
            x=alt.X("length:Q", axis=None),
        )
    )
    bars = base.mark_bar().encode(
        color=alt.Color("flow:N", scale=flow_colours(_PAIR), legend=None),
        tooltip=tooltips(unit, member),
    )
    labels = base.mark_text(align="left", dx=4, fontSize=11).encode(
        text="label:N",
        color=alt.condition(
            "isValid(datum.amount)", alt.value(COLOURS["ink"]), alt.value(COLOURS["muted"])
        ),
    )
    return alt.layer(bars, labels)


def two_sides(rows: Sequence[Row]) -> Drawing:
    """Draw the receiver's statement against the payer's, by period, joined by a line."""
    columns = ("receipts_stated_usd_m", "payments_stated_usd_m")
    unit = unit_of(rows, *columns)
    return Drawing(_two_sides(unit, _label_to_lift(rows, columns)), rows, unit)


@cache
def _two_sides(unit: str, lifted: str | None) -> dict[str, Any]:
    base = alt.Chart().transform_calculate(
        **{flow: scaled(f"{flow}_stated_usd_m", unit) for flow in _PAIR}
    )
    x = alt.X("period:O", axis=alt.Axis(title=None, labelAngle=0))
    gap = base.mark_rule(strokeWidth=3, color=COLOURS["grid"]).encode(
        x=x, y=alt.Y("receipts:Q", axis=value_axis(unit)), y2="payments:Q"
    )
    layers: list[Any] = [gap]
    for flow, side in (("receipts", "Receiver"), ("payments", "Payer")):
        points = base.transform_filter(f"isValid(datum.{flow})").mark_point(
            filled=True, size=90, color=COLOURS[flow], opacity=1
        )
        amount = alt.Tooltip(f"{flow}:Q", format=",.1f", title=side)
        layers += [
            points.encode(x=x, y=f"{flow}:Q", tooltip=["period:O", amount]),
            _end_label(base, x, flow, side, lifted, dx=9),
        ]
    return _spec(alt.layer(*layers), 260, 66)


def countries_over_time(rows: Sequence[Row]) -> Drawing:
    """Draw the number of countries that state each flow. Rows: `period`, `flow`, `countries`."""
    lines = (
        alt.Chart()
        .transform_calculate(year="toDate(datum.period + '-01-01')")
        .mark_line()
        .encode(
            x=alt.X("year:T", axis=_years()),
            y=alt.Y("countries:Q", axis=value_axis("countries")),
            # The lines cross and meet, so direct labels would be ambiguous.
            color=alt.Color("flow:N", scale=flow_colours(_PAIR), legend=alt.Legend(offset=24)),
            tooltip=["period:N", "flow:N", "countries:Q"],
        )
    )
    return Drawing(_spec(alt.layer(lines), 260, 8), rows)


def counted_bars(rows: Sequence[Row], label: str, value: str) -> Drawing:
    """Draw one bar per row, in their order, with the count at its end."""
    base = alt.Chart().encode(y=member_names(label), x=alt.X(f"{value}:Q", axis=None, title=value))
    bars = base.mark_bar(color=COLOURS["receipts"]).encode(tooltip=[f"{label}:N", f"{value}:Q"])
    counts = base.mark_text(align="left", dx=4).encode(text=alt.Text(f"{value}:Q", format=","))
    return Drawing(_spec(alt.layer(bars, counts), alt.Step(24), 48), rows)


CHARTS: Mapping[str, Callable[..., Drawing | None]] = {
    chart.__name__: chart
    for chart in (
        balance_over_time,
        ranked_bars,
        ranked_member_bars,
        two_sides,
        countries_over_time,
        counted_bars,
    )
}


def _label_to_lift(rows: Sequence[Row], columns: Sequence[str]) -> str | None:
    """Return the flow, receipts or payments, whose label must make room for the other's."""
    receipts, payments = (
        next((row[column] for row in reversed(rows) if row[column] is not None), 0)
        for column in columns
    )
    largest = max((row[column] or 0 for row in rows for column in columns), default=0)
    if abs(receipts - payments) > _CLOSE * largest:
        return None
    return "receipts" if receipts >= payments else "payments"


def _end_label(
    base: alt.Chart, x: alt.X, flow: str, text: str, lifted: str | None, dx: int = 6
) -> Any:
    """Return a label at the last point of a flow."""
    last = (
        base.transform_filter(f"isValid(datum.{flow})")
        .transform_window(place="row_number()", sort=[alt.SortField("period", order="descending")])
        .transform_filter("datum.place == 1")
    )
    mark = last.mark_text(
        align="left",
        baseline="middle",
        dx=dx,
        dy=-_LINE if flow == lifted else 0,
        color=COLOURS[flow],
        fontWeight=600,
    )
    return mark.encode(x=x, y=f"{flow}:Q", text=alt.value(text))


def _bound(base: alt.Chart, x: alt.X, flow: str) -> Any:
    """Return the comparator above each inexact figure: > is "more than"."""
    comparator = f"datum.{flow}_comparator"
    bounds = base.transform_filter(f"isValid({comparator}) && {comparator} != '='")
    mark = bounds.mark_text(dy=-_LINE, color=COLOURS[flow], fontWeight=600)
    return mark.encode(x=x, y=f"{flow}:Q", text=f"{flow}_comparator:N")


def _by_sign() -> Any:
    return alt.condition(
        "datum.balance >= 0", alt.value(COLOURS["receipts"]), alt.value(COLOURS["payments"])
    )


def _years() -> alt.Axis:
    return alt.Axis(title=None, format="%Y", tickCount=8, labelFlush=True)


def _spec(layers: Any, height: int | alt.Step, right: int) -> dict[str, Any]:
    """Return a specification that fits the page's width. right: room for labels, in pixels."""
    chart = layers.properties(
        data=alt.NamedData(DATA),
        width="container",
        height=height,
        padding={"right": right, "left": 2},
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
    )
    # Altair's validation would take most of a report's time; a test validates each chart instead.
    return {**chart.to_dict(validate=False), "config": {**CONFIG, "background": "transparent"}}
