"""The pages of the site: those in `pages.yml`, one per reporter and one per table."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster_project.report.figure import Figure, figure
from dagster_project.report.query import Queries, declared_pages
from dagster_project.transform.docs.dbt_docs import dbt_docs_address
from dagster_project.transform.docs.lineage import column_lineage, first_columns

_BREAKDOWNS = {
    "partner": "By partner",
    "sector": "By industry",
    "category": "By kind of right",
    "affiliation": "By relation between the firms",
    "subdivision": "By subdivision",
}
_SUFFIXES = ("", "_half_yearly", "_quarterly", "_monthly")  # of the tables, by frequency


@dataclass(frozen=True)
class Page:
    """A page of the site. more: further values for its template."""

    path: str
    title: str
    about: str
    template: str = "figures.html"
    kicker: str = ""
    figures: list[Figure] = field(default_factory=list)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def section(self) -> str:
        """The page that the navigation marks as current: the first of the folder."""
        return self.path.rpartition("/")[0] + "/index.html"

    @property
    def has_charts(self) -> bool:
        """Whether the page needs the charts' JavaScript."""
        return any(figure.drawing for figure in self.figures)


def studies() -> dict[str, str]:
    """Return the paths of the studies' pages, by the release dates of their texts."""
    return {
        str(about["text_release"]): path
        for path, about in declared_pages().items()
        if "text_release" in about
    }


def all_pages(queries: Queries, downloads: Mapping[str, int]) -> Iterator[Page]:
    """Yield every page of the site. downloads: the downloadable files, with their sizes."""
    more: dict[str, Mapping[str, Any]] = {
        "index.html": _first_page(queries),
        "downloads.html": {"downloads": downloads},
    }
    more |= {path: {"statements": _statements(queries, text)} for text, path in studies().items()}
    for path, about in declared_pages().items():
        known = {"title", "about", "template", "kicker"} & about.keys()
        yield Page(
            path,
            **{name: about[name] for name in known},
            figures=list(_figures(queries, about["figures"])),
            more=more.get(path, {}),
        )
    yield from _reporter_pages(queries)
    yield from _table_pages(queries)


def _figures(queries: Queries, names: list[str | dict[str, Any]]) -> Iterator[Figure]:
    for name in names:
        values = {"query": name} if isinstance(name, str) else name
        found = figure(queries, **values)
        if found.answer or not queries.front_matter(values["query"]).get("optional"):
            yield found


def _first_page(queries: Queries) -> dict[str, Any]:
    verdicts = []
    for text_release, path in studies().items():
        slug = path.removeprefix("studies/").removesuffix(".html")
        count = figure(queries, "index/verdicts", id=f"verdicts-{slug}", text_release=text_release)
        verdicts.append(({"path": path, **declared_pages()[path]}, count))
    return {"facts": figure(queries, "index/facts"), "studies": verdicts}


def _statements(queries: Queries, text_release: str) -> list[tuple[str, str, Figure]]:
    """Return each statement of a text: identifier, sentence, and figures from releases."""
    statements = []
    for claim, sentence in queries.ask("studies/claims", text_release=text_release).rows:
        says = figure(
            queries,
            "studies/claim",
            id=f"claim-{claim}",
            claim=claim,
            sentence=sentence.rstrip("."),
        )
        statements.append((claim, sentence, says))
    return statements


def _reporter_pages(queries: Queries) -> Iterator[Page]:
    """Yield the page of each reporter: its balance over time, and its latest breakdowns."""
    breakdowns = defaultdict(list)
    for breakdown, heading in _BREAKDOWNS.items():
        names = {
            "breakdown": breakdown,
            "mart_dimension": "region" if breakdown == "subdivision" else breakdown,
        }
        latest = queries.ask("reporters/breakdowns", suffixes=_SUFFIXES, **names)
        for code, concept, suffix, period in latest.rows:
            kind = "breakdown" if concept == "BPM6_SH" else "other_definition"
            breakdowns[code].append(
                names
                | {
                    "query": f"reporters/{kind}",
                    "id": f"{breakdown}-{concept.lower().replace('_', '-')}",
                    "heading": heading,
                    "concept": concept,
                    "suffix": suffix,
                    "period": period,
                }
            )
    for reporter in queries.ask("reporters/reporters").records():
        code, name = reporter["reporter_code"], reporter["reporter_name"]
        figures = [{"query": "reporters/balance"}, *breakdowns[code]]
        yield Page(
            f"reporters/{code}.html",
            name,
            f"{name}: receipts, payments and balance of charges for the use of intellectual"
            " property.",
            kicker="Reporter",
            figures=[figure(queries, code=code, name=name, **values) for values in figures],
        )


def _table_pages(queries: Queries) -> Iterator[Page]:
    """Yield the page of each table of the data dictionary, from the published file's comments."""
    for table, _, comment in queries.ask("dictionary/tables").rows:
        schema, name = table.split(".")
        lineage = column_lineage().get(table)
        yield Page(
            f"dictionary/{table}.html",
            table,
            comment,
            template="dictionary.html",
            kicker="Data dictionary",
            figures=[figure(queries, "dictionary/columns", schema=schema, table=name)],
            # Tables of the ledger have none: they have no model.
            more={}
            if lineage is None
            else {
                "model": dbt_docs_address(table),
                "lineage": [
                    (column, parents, sorted(first_columns(table, column)))
                    for column, parents in lineage.items()
                ],
            },
        )
