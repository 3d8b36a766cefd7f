"""A figure of a page: a query's answer as a table, and the chart drawn from the same rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from dagster_project.report.charts.flows import CHARTS
from dagster_project.report.charts.style import Drawing, plain_rows
from dagster_project.report.formats import exact, kind_of, shown
from dagster_project.report.query import Answer, Queries

_LONG = 30  # rows of a table that scrolls


@dataclass(frozen=True)
class Column:
    """A column of a table: its label on the page, and the kind of its values (`formats.shown`)."""

    name: str
    label: str
    kind: str


@dataclass(frozen=True)
class Figure:
    """A table with its query, and a chart of its rows.

    alt: a description of the chart for those who cannot see it; the table has the numbers.
    open: whether the table is expanded at first.
    """

    id: str
    title: str
    unit: str
    answer: Answer
    columns: tuple[Column, ...]
    source: str
    note: str
    alt: str
    open: bool
    lead: Markup | None
    drawing: Drawing | None

    @property
    def table_unit(self) -> str:
        """The unit of the table's amounts, if it has any; a chart may use billions."""
        return "millions of US dollars" if "money" in {c.kind for c in self.columns} else ""

    @property
    def is_long(self) -> bool:
        """Whether the table scrolls below its header, so that the page stays short."""
        return len(self.answer.rows) > _LONG

    def shown_columns(self) -> list[tuple[int, Column]]:
        """Return the columns of the table with their positions in the answer's rows."""
        return [(self.answer.columns.index(column.name), column) for column in self.columns]


def figure(queries: Queries, query: str, **values: Any) -> Figure:
    """Run a query and return its figure, as the front matter describes it.

    values: for the query's parameters, and for the names in braces in the front matter's texts;
    `id` if it differs from the query's name. The texts may also name columns of the first row, and
    `unit` and `drawn` (of the chart).
    """
    about = queries.front_matter(query)
    answer = queries.ask(query, **values)
    first = answer.records()[0] if answer else {}
    texts = _Texts({**first, **values})
    drawing = _drawing(about.get("chart"), answer, texts) if answer else None
    if drawing:
        texts |= {"unit": drawing.unit, "drawn": drawing.shows}
    name = values.get("id") or query.rpartition("/")[2].replace("_", "-")
    sources = about.get("sources", [])
    return Figure(
        id=name,
        title=texts.filled(about["title"]),
        unit=texts.filled(about.get("unit", "")),
        answer=answer,
        columns=tuple(
            _column(texts.filled(column), label, answer)
            for column, label in about["columns"].items()
        ),
        source=about.get("source")
        or _source_names(queries, answer, [sources] if isinstance(sources, str) else sources),
        note=texts.filled(about.get("note", "")),
        alt=texts.filled(about.get("alt", "")),
        open=drawing is None or len(answer.rows) <= about.get("open", len(answer.rows)),
        lead=_lead(about.get("lead"), name, answer),
        drawing=drawing,
    )


class _Texts(defaultdict[str, Any]):
    """The values of the names in braces; an unknown one and the comma before it are removed."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        heading = values.get("heading", "")
        super().__init__(str, {**values, "heading_lower": heading[:1].lower() + heading[1:]})

    def filled(self, text: str) -> str:
        return text.format_map(self).rstrip(", ")


def _column(name: str, label: str | list[str], answer: Answer) -> Column:
    if isinstance(label, list):
        return Column(name, *label)
    return Column(name, label, kind_of(name, answer.values(name)))


def _drawing(
    chart: str | Mapping[str, str] | None, answer: Answer, texts: _Texts
) -> Drawing | None:
    if chart is None:
        return None
    name, options = (chart, {}) if isinstance(chart, str) else (chart["name"], chart)
    options = {key: texts.filled(value) for key, value in options.items() if key != "name"}
    return CHARTS[name](plain_rows(answer.records()), **options)


def _source_names(queries: Queries, answer: Answer, columns: Iterable[str]) -> str:
    """Return the names of the sources in the columns of an answer."""
    names: set[str] = set()
    for value in (value for column in columns for value in answer.values(column)):
        names.update(value if isinstance(value, list) else [value] if value else [])
    return "; ".join(queries.source_titles[name] for name in sorted(names))


def _lead(lead: Mapping[str, str] | None, query: str, answer: Answer) -> Markup | None:
    """Return a sentence with the values of the row that the column `row` marks, if any.

    Each value is a `data` element that names its query, row and column.
    """
    marked = answer.values(lead["row"]) if lead else []
    if not lead or True not in marked:
        return None
    row = marked.index(True)
    record = answer.records()[row]
    element = Markup(
        '<data value="{0}" data-query="{1}" data-row="{2}" data-column="{3}">{4}</data>'
    )
    return Markup(lead["text"]).format(
        **{
            column: element.format(
                exact(value), query, row, column, shown(value, kind_of(column, []), record, column)
            )
            for column, value in record.items()
        }
    )
