"""Common parts of all charts: palette, theme, and the scales of their flows.

Rows are plain dictionaries with money in millions of US dollars. A missing number is a gap, never
zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import altair as alt

Row = Mapping[str, Any]

FLOWS = ("receipts", "payments", "balance")
# One colour per role: blue and vermilion of Okabe and Ito, which people with any kind of colour
# vision can distinguish, the latter darkened. They colour labels too, so each has a contrast of at
# least 4.5 to the background; a test checks that.
COLOURS: Mapping[str, str] = {
    "paper": "#ffffff",
    "ink": "#1d2733",
    "muted": "#55616f",
    "grid": "#e3e7ec",
    "receipts": "#0072b2",
    "payments": "#b84e00",
    "balance": "#1d2733",
}
_IN_BILLIONS_FROM = 2000  # millions

LIGHT_TO_DARK = ("#d9d9d9", "#5ec962", "#21918c", "#3b528b", "#440154")  # grey, then viridis
CONFIG: Mapping[str, Any] = {
    "font": "'Helvetica Neue', Arial, 'Liberation Sans', sans-serif",
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
    "header": {"labelFontSize": 11, "labelFontWeight": "bold", "labelAnchor": "start"},
    "legend": {"orient": "top", "title": None, "labelFontSize": 12, "labelLimit": 300},
    "line": {"strokeWidth": 2.25},
    "rule": {"color": COLOURS["muted"]},
    "text": {"color": COLOURS["ink"], "fontSize": 12},
    "title": {"fontSize": 14, "subtitleFontSize": 11, "subtitleColor": COLOURS["muted"]},
}


@dataclass(frozen=True)
class Drawing:
    """A Vega-Lite chart without its data, and the rows that it draws.

    unit: of its amounts, in words. shows: the flows drawn, in words.
    """

    spec: Mapping[str, Any]
    rows: Sequence[Row]
    unit: str = ""
    shows: str = ""

    def for_page(self) -> dict[str, Any]:
        """Return the input of the page's script."""
        spec = dict(self.spec)
        if isinstance(spec.get("height"), Mapping):
            # Vega-Lite cannot fit a chart to the page's width if its height is set by a step.
            spec["height"] = spec["height"]["step"] * len(self.rows)
        return {"spec": spec, "rows": self.rows}


def plain_rows(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return rows with JSON values: the warehouse's numbers are decimals."""
    return [{column: _plain(value) for column, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    match value:
        case None | str() | bool() | int():
            return value
        case float() | Decimal():
            return float(value)
    return str(value)


def unit_of(rows: Iterable[Row], *columns: str) -> str:
    """Return the most readable unit of amounts: billions, or millions if all are small."""
    amounts = [abs(row[column]) for row in rows for column in columns if row[column] is not None]
    return f"{'billion' if amounts and max(amounts) >= _IN_BILLIONS_FROM else 'million'} US dollars"


def scaled(column: str, unit: str) -> str:
    """Return Vega's expression of an amount in a unit. NULL stays NULL."""
    value = f"datum['{column}']"
    return f"isValid({value}) ? {value} / {1000 if unit.startswith('b') else 1} : null"


def written(field: str, unit: str) -> str:
    """Return Vega's expression of an amount as text, with a real minus sign."""
    number = f"format(datum.{field}, '{',.1f' if unit.startswith('b') else ',.0f'}')"
    return f"replace({number}, '-', '\u2212')"


def in_unit(unit: str) -> alt.Chart:
    """Return a chart to start from, with `receipts`, `payments` and `balance` in a unit."""
    return alt.Chart().transform_calculate(**{f: scaled(f"{f}_usd_m", unit) for f in FLOWS})


def tooltips(unit: str, key: str) -> list[Any]:
    """Return a row's tooltip: its key and its flows."""
    digits, short = (",.2f", "bn") if unit.startswith("b") else (",.1f", "m")
    return [
        alt.Tooltip(f"{key}:N", title=" "),
        *(alt.Tooltip(f"{f}:Q", format=digits, title=f"{f}, {short}") for f in FLOWS),
    ]


def flow_colours(flows: Sequence[str]) -> alt.Scale:
    """Return the scale of the field `flow`: one colour per flow, the same in every chart."""
    return alt.Scale(domain=list(flows), range=[COLOURS[flow] for flow in flows])


def member_names(column: str, sort: Sequence[str] | None = None) -> alt.Y:
    """Return an axis with names on the left, in the order of the rows, in up to three lines."""
    lines = "slice(split(replace(datum.label, regexp('(.{1,26})( +|$)', 'g'), '$1|'), '|'), 0, -1)"
    short = (
        f"length({lines}) > 3 ? slice(split(join(slice({lines}, 0, 3), '|') + '\u2026', '|'), 0, 3)"
    )
    # Vega aligns the first line, not the middle of all lines, with the bar.
    raised = {"test": "true", "expr": f"-7 * (min(3, length({lines})) - 1)"}
    axis = alt.Axis(
        title=None,
        domain=False,
        ticks=False,
        labelLimit=180,
        labelExpr=f"{short} : {lines}",
        labelOffset={"condition": raised, "value": 0},
    )
    return alt.Y(f"{column}:N", sort=sort, axis=axis)


def value_axis(title: str) -> alt.Axis:
    """Return a value axis with a horizontal title above it."""
    return alt.Axis(title=title, tickCount=5, titleAnchor="start", titleY=-10, titleX=0)
