"""The queries of `pages/` and their answers, which contain every number on a page.

A query is a SQL file with a YAML front matter for the texts around the answer. Values are bound to
its `$parameters`; variable names of tables and columns are Jinja's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb
import yaml
from jinja2 import Environment, StrictUndefined

from dagster_project.base.sql import literal

PAGES = Path(__file__).parent / "pages"
_FRONT_MATTER = re.compile(r"/\*\n(.*?)\*/\n", re.DOTALL)
_PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Answer:
    """A query, the names of its columns, and its rows.

    `sql` includes the values of the parameters: any client can run it on the published file.
    """

    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __bool__(self) -> bool:
        """Whether there is any row."""
        return bool(self.rows)

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def values(self, column: str) -> list[Any]:
        """Return one column."""
        index = self.columns.index(column)
        return [row[index] for row in self.rows]


class Queries:
    """Reads the queries of a folder and runs them on the published file."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path = PAGES) -> None:
        self._con = con
        self._folder = folder
        self._files: dict[str, tuple[dict[str, Any], str]] = {}
        self._jinja = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)

    def front_matter(self, name: str) -> Mapping[str, Any]:
        """Return a query's front matter. name: its path in the folder, without suffix."""
        return self._read(name)[0]

    def ask(self, name: str, /, **values: Any) -> Answer:
        """Run a query with those of the values that it uses."""
        template = self._jinja.from_string(self._read(name)[1])
        sql = template.render(values).strip()
        bound = {parameter: values[parameter] for parameter in _PARAMETER.findall(sql)}
        cursor = self._con.execute(sql, bound)
        columns = tuple(column[0] for column in cursor.description or ())
        shown = _PARAMETER.sub(lambda found: literal(str(values[found[1]])), sql)
        return Answer(shown, columns, tuple(cursor.fetchall()))

    @cached_property
    def source_titles(self) -> dict[str, str]:
        """The name in footnotes of each source that has a current release."""
        titles = {}
        for source in self.ask("sources/titles").records():
            name, publisher, latest = source["source"], source["publisher"], source["latest"]
            titles[name] = (
                f"figures stated in public texts ({name})"
                if source["releases_are"] == "additive"
                else f"{publisher}, {source['title']} ({name}, release of {latest})"
            )
        return titles

    def _read(self, name: str) -> tuple[dict[str, Any], str]:
        if name not in self._files:
            text = (self._folder / f"{name}.sql").read_text("utf-8")
            found = _FRONT_MATTER.match(text)
            assert found, f"{name}.sql has no front matter"
            self._files[name] = (yaml.safe_load(found[1]), text[found.end() :])
        return self._files[name]


@cache
def declared_pages() -> dict[str, dict[str, Any]]:
    """Return the pages that `pages.yml` declares, by their paths."""
    return yaml.safe_load((PAGES / "pages.yml").read_text("utf-8"))
