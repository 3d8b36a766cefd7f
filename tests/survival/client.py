"""A client that reads the published file until a stop file appears; `readers.py` starts many.

`python -m tests.survival.client MODE FILE STOP REPORT`. Modes: `reconnect` opens a connection per
answer; `hold` keeps a connection for some answers, over several publications; `link` reads through
a second name of the file, which it makes, and which stays when the file is replaced.
"""

import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

from dagster_project.publication.integrity import checksums

MODES = ("reconnect", "hold", "link")
_ANSWERS_HELD = 6


@dataclass
class Report:
    """What a client saw.

    late: answers from a connection whose file had been replaced. mixed: answers that mix
    publications. seen: a digest of all tables' checksums by publication.
    """

    answers: int = 0
    late: int = 0
    errors: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)


def answer(con: duckdb.DuckDBPyConnection) -> tuple[str, str, list[tuple]]:
    """Return the publication, a digest of all tables, and tables that differ from the ledger."""
    stated = con.execute("from audit.checksums order by table_name").fetchall()
    found = checksums(con)
    ((name,),) = con.execute(
        "select max_by(publication_id, published_at) from audit.publication"
    ).fetchall()
    digest = hashlib.sha256(repr(found).encode()).hexdigest()
    return name, digest, sorted(set(found) ^ set(stated))


@contextmanager
def opened(mode: str, path: Path, own_name: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file as a client does, or a second name of it."""
    if mode == "link":
        os.link(path, own_name)
    try:
        with duckdb.connect(
            own_name if mode == "link" else path, read_only=True, config={"threads": 1}
        ) as con:
            yield con
    finally:
        own_name.unlink(missing_ok=True)


def read(mode: str, path: Path, stop: Path, report_file: Path) -> None:
    """Read until the file `stop` exists; the report is up to date after each answer."""
    report, stopped = Report(), False
    while not stopped:
        try:
            file = path.stat().st_ino
            with opened(mode, path, report_file.with_suffix(".duckdb")) as con:
                names = set()
                for _ in range(1 if mode == "reconnect" else _ANSWERS_HELD):
                    stopped = stop.exists()
                    name, digest, different = answer(con)
                    names.add(name)
                    report.answers += 1
                    report.late += path.stat().st_ino != file
                    if different or report.seen.setdefault(name, digest) != digest:
                        report.mixed.append(f"{mode}: {name}: {different}")
                    _write(report_file, report)
                    if stopped:
                        break
                    time.sleep(random.uniform(0.1, 0.5))
                if len(names) > 1:
                    report.mixed.append(f"{mode}: one connection saw {sorted(names)}")
        except (duckdb.Error, OSError) as error:
            report.errors.append(f"{mode}: {error}")
    _write(report_file, report)


def _write(path: Path, report: Report) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(report)))
    os.replace(fresh, path)


if __name__ == "__main__":
    read(sys.argv[1], *(Path(argument) for argument in sys.argv[2:]))
