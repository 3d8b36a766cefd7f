"""Rolls back to a kept publication."""

import contextlib
from pathlib import Path

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import Settings
from dagster_project.publication.integrity import integrity_errors
from dagster_project.publication.kept_files import (
    activate,
    kept_id,
    kept_publications,
    publication_id,
    publications_in,
)
from dagster_project.publication.records import file_errors
from dagster_project.workbench.connection import open_workbench
from dagster_project.workbench.decisions import record_decision


def roll_back(settings: Settings, to: str | None = None, reason: str = "none was given") -> str:
    """Activate a kept publication, the previous one or `to`, and return its id.

    It stays live until a run has something new to publish. One that never went live because of a
    crash is activated only by name. The ledger keeps the reason; an unreadable workbench does not
    prevent the rollback. Raises BadInput.
    """
    kept = {kept_id(path): path for path in kept_publications(settings)}
    present = publication_id(settings)
    were_live = _were_live(settings, list(kept))
    earlier = [name for name in were_live if present is None or name < present]
    chosen = to or (earlier[0] if earlier else None)
    if chosen is None or chosen not in kept:
        raise BadInput(
            "no such publication" if to else "nothing to roll back to",
            where=str(settings.publications),
            expected="one of the kept publications: " + (", ".join(kept) or "none is kept"),
            found=to or f"none earlier than {present or 'now'}",
            fix="name a kept publication, or build and publish again with `make publish`",
        )
    wrong = [*integrity_errors(kept[chosen]), *_file_errors(settings, kept[chosen])]
    if wrong:
        raise BadInput(
            "the kept publication is damaged",
            where=str(kept[chosen]),
            expected="the tables as published, each with its gate passed",
            found="; ".join(wrong),
            fix="name another kept publication, or publish again: delete"
            f" {settings.warehouse} and `make run`",
        )
    activate(settings, kept[chosen])
    with contextlib.suppress(BadInput, duckdb.Error), open_workbench(settings) as con:
        record_decision(con, "rollback", chosen, reason)
    return chosen


def _were_live(settings: Settings, kept: list[str]) -> list[str]:
    """Return those that were live, according to the published file; all if it cannot be read."""
    try:
        named = {row[0] for row in publications_in(settings.warehouse)}
    except BadInput:
        return kept
    return [name for name in kept if name in named]


def _file_errors(settings: Settings, kept: Path) -> list[str]:
    """Return the reasons why a kept file is not the one that was published, if that is known."""
    try:
        with open_workbench(settings) as con:
            return file_errors(kept, con)
    except (BadInput, duckdb.Error):
        return file_errors(kept, None)
