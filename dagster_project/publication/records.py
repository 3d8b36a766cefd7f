"""The SHA-256 of each published file, kept outside it: in the ledger, and beside the kept file.

`publications/royalty_flows-<publication>.duckdb.sha256` has the form that `sha256sum -c` reads. It
is for readers, who cannot open the workbench, and for a workbench that is lost.
"""

from pathlib import Path

import duckdb

from dagster_project.base.durable_files import replace_text, sync
from dagster_project.base.hashing import file_sha256
from dagster_project.base.private_files import set_mode
from dagster_project.base.settings import Settings
from dagster_project.publication.kept_files import kept_id, sha256_file
from dagster_project.workbench.connection import open_workbench
from dagster_project.workbench.publications import published_sha256, record_published_file


def record_file(settings: Settings, kept: Path, sha256: str, size: int) -> None:
    """Record the SHA-256 of the file that is about to become a kept publication."""
    with open_workbench(settings) as con:
        record_published_file(con, kept_id(kept), sha256, size)
    replace_text(sha256_file(kept), f"{sha256}  {kept.name}\n")
    set_mode(sha256_file(kept), 0o444)  # for readers, as the file itself
    settings.readers.may_read(sha256_file(kept))
    sync(sha256_file(kept))


def stated_sha256(kept: Path) -> str | None:
    """Return the SHA-256 beside a kept file; None if there is none."""
    path = sha256_file(kept)
    return path.read_text("utf-8").split(" ")[0].strip() if path.exists() else None


def recorded_sha256(kept: Path, con: duckdb.DuckDBPyConnection | None) -> dict[str, str]:
    """Return the recorded SHA-256 of a kept file, by where it is recorded.

    con: to the workbench; None if it cannot be read.
    """
    records = {
        "the ledger": published_sha256(con, kept_id(kept)) if con else None,
        sha256_file(kept).name: stated_sha256(kept),
    }
    return {where: sha256 for where, sha256 in records.items() if sha256}


def file_errors(kept: Path, con: duckdb.DuckDBPyConnection | None) -> list[str]:
    """Return the differences between a kept file's SHA-256 and its records, if there are any."""
    recorded = recorded_sha256(kept, con)
    found = file_sha256(kept) if recorded else None
    return [
        f"the SHA-256 of {kept.name} is {found}; {where} has {sha256}"
        for where, sha256 in recorded.items()
        if sha256 != found
    ]
