"""Load a made-up or real release into its own workbench, and break its raw suite."""

from datetime import date
from pathlib import Path

from dagster_project.base.settings import Settings
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.sources.source import Release, Source
from dagster_project.workbench.connection import open_workbench


def load(source: Source, folder: Path, file: Path) -> tuple[Path, LoadResult]:
    """Load a file, whose folder is named after its release; return the workbench's path."""
    settings = Settings(warehouse_dir=folder)
    release = Release(source.name, date.fromisoformat(file.parent.name), (file,))
    with open_workbench(settings) as con:
        loaded = load_release(con, source, release)
    return settings.workbench, loaded


def changed(table: str, column: str, where: str, new: str) -> str:
    """The table with another value (SQL) in one column of the rows that a condition picks."""
    value = f"case when {where} then {new} else {column} end"
    return f"select * replace ({value} as {column}) from {table}"
