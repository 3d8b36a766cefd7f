"""Read a file, or return the one error of a file that cannot be used."""

from pathlib import Path

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.layouts import Extract, Layout, layout_of
from dagster_project.sources import all_sources

WORLD_BANK = all_sources()["worldbank_wdi"].layouts
TEXTS = all_sources()["published_figures"].layouts


def changed(tmp_path: Path, good: Path, old: bytes, new: bytes) -> Path:
    """Return a copy of a good file with one replacement."""
    content = good.read_bytes()
    assert old in content
    path = tmp_path / good.name
    path.write_bytes(content.replace(old, new, 1))
    return path


def read(
    con: duckdb.DuckDBPyConnection, path: Path, of: tuple[Layout, ...] = WORLD_BANK
) -> Extract:
    """Read a file in the layout that recognizes it."""
    return layout_of(path, of).read(con, path)


def refusal(
    con: duckdb.DuckDBPyConnection, path: Path, of: tuple[Layout, ...] = WORLD_BANK
) -> BadInput:
    """Return the one error of a file: one line with all five parts."""
    with pytest.raises(BadInput) as caught:
        read(con, path, of)
    problem = caught.value
    assert path.name in problem.where
    assert all((problem.what, problem.expected, problem.found, problem.fix))
    assert "\n" not in str(problem)
    return problem
