"""What stands on a page: a query's answer as a table, and the chart drawn from the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from dagster_project.report.answers import Answer
from dagster_project.report.formats import exact, shown


@dataclass(frozen=True)
class Column:
    """A column of a table: what it is called on the page, and how its values are shown.

    kind: `text`, `code`, `date`, `period`, `money` (millions, no decimals), `pct` (one decimal),
    `number` (as it is), `rank`, `bytes`, `sha256`, `verdict`; `stated`, `found` (in the unit of a
    statement); `economy`, `study`, `file`, `link` (a text that leads somewhere).
    """

    name: str
    label: str
    kind: str = "text"


@dataclass(frozen=True)
class Figure:
    """A table or chart with its query. `spec` is a Vega-Lite chart without its data.

    alt: what the chart shows, for those who do not see it; the table has the numbers.
    open: whether the table is shown at once, or on request.
    """

    id: str
    title: str
    unit: str
    answer: Answer
    columns: tuple[Column, ...]
    source: str
    spec: Mapping[str, Any] | None = None
    alt: str = ""
    note: str = ""
    lead: Markup | None = None
    open: bool = True
    chart_rows: list[dict[str, Any]] | None = field(default=None, compare=False)

    def shown_columns(self) -> list[tuple[int, Column]]:
        """Return the columns of the table with their places in the answer's rows."""
        return [(self.answer.columns.index(column.name), column) for column in self.columns]

    def drawing(self) -> dict[str, Any]:
        """Return the chart with its data: the answer's rows, or those of them that it shows."""
        rows = self.answer.records() if self.chart_rows is None else self.chart_rows
        data = [{name: _plain(value) for name, value in row.items()} for row in rows]
        spec = dict(self.spec or {})
        if isinstance(spec.get("height"), Mapping):
            # Vega-Lite cannot fit a chart to the page's width while a step decides on its height.
            spec["height"] = spec["height"]["step"] * len(data)
        return {"spec": spec, "rows": data}


def cited(sentence: str, figure: str, answer: Answer, row: int) -> Markup:
    """Return a sentence with values of one row of an answer in the place of `{column}`.

    Each stands in a `data` element that says which query, row and column it is from.
    """
    record = answer.records()[row]
    return Markup(sentence).format(
        **{
            column: Markup(
                '<data value="{0}" data-query="{1}" data-row="{2}" data-column="{3}">{4}</data>'
            ).format(
                exact(value),
                figure,
                row,
                column,
                shown(value, "money" if _is_money(column) else ""),
            )
            for column, value in record.items()
        }
    )


def _is_money(column: str) -> bool:
    return column.endswith("_usd_m")


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    match value:
        case None | str() | bool() | int():
            return value
        case float() | Decimal():
            return float(value)
    return str(value)
