"""The test bench of a case: a workbench with one accepted release, of which it loads a broken copy.

The case goes the way a release goes (landing folder, load, gate), in this process and without
Dagster. Its verdict is taken from the staging models: what they hold afterwards is either what they
held before, or it is other numbers.
"""

import faulthandler
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import Settings
from dagster_project.gates.explain import explain
from dagster_project.gates.release_gate import gate_release
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.pending_releases import find_release
from dagster_project.layouts import layout_of
from dagster_project.layouts.zip_layout import unpacked_once
from dagster_project.sources import all_sources
from dagster_project.workbench.ledger_schema import create_ledger
from tests.corpus.mutation import Expected, Mutation, Origin, UnchangedFileError

SECONDS_PER_CASE = 300  # a case that takes longer hangs: the process ends with a traceback
_LINEAGE = "source", "release_date", "file_name", "sheet_name", "row_number", "column_name"
ACCEPTED, REFUSED, UNDETECTABLE = "accepted, right numbers", "refused", "undetectable"
WRONG, CRASHED = "WRONG NUMBERS", "CRASHED"

Numbers = dict[str, list[tuple]]


@dataclass(frozen=True)
class Verdict:
    """How a case ended. message: that of a refusal; else the error in the numbers."""

    origin: Origin
    mutation: Mutation
    seed: int
    outcome: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.outcome}: {self.origin} | {self.mutation.name} {self.seed} | {self.message}"


@dataclass
class Bench:
    """A folder for the cases; `views` creates the staging models in an empty workbench."""

    folder: Path
    views: str
    _pristine: dict[tuple[str, date], tuple[Path, Numbers]] = field(default_factory=dict)

    def try_case(self, origin: Origin, mutation: Mutation, seed: int) -> Verdict | None:
        """Return how a case ends; None if the mutation changes nothing in this file."""
        source = all_sources()[origin.source]
        pristine, right = self._pristine_of(origin)
        landing, workbench = self.folder / "landing", self.folder / "workbench.duckdb"
        with self._landed(origin, landing) as file:
            try:
                mutation.apply(file, Random(f"{origin} {mutation.name} {seed}"))
            except UnchangedFileError:
                return None
            shutil.copyfile(pristine, workbench)
            (self.folder / "case").write_text(f"{origin} | {mutation.name} {seed}")
            faulthandler.dump_traceback_later(SECONDS_PER_CASE, exit=True)
            try:
                message = _load_and_gate(workbench, landing, origin)
            except Exception as error:
                return Verdict(origin, mutation, seed, CRASHED, f"{type(error).__name__}: {error}")
            finally:
                faulthandler.cancel_dump_traceback_later()
            try:
                found = self._numbers(workbench, source.name)
            except duckdb.Error as error:
                return Verdict(origin, mutation, seed, CRASHED, f"in staging: {error}")
        return _judge(origin, mutation, seed, message, found, right)

    def _pristine_of(self, origin: Origin) -> tuple[Path, Numbers]:
        key = (origin.source, origin.release)
        if key not in self._pristine:
            path = self.folder / f"{origin.source}-{origin.release}" / "workbench.duckdb"
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            with duckdb.connect(path) as con:
                create_ledger(con)
                for source in all_sources().values():
                    for table in source.tables:
                        con.execute(table.ddl)
                con.execute(self.views)
            landing = self.folder / "landing"
            with self._landed(origin, landing):
                message = _load_and_gate(path, landing, origin)
            assert message is None, message
            self._pristine[key] = path, self._numbers(path, origin.source)
        return self._pristine[key]

    @contextmanager
    def _landed(self, origin: Origin, landing: Path) -> Iterator[Path]:
        """A landing folder with a copy of the release; yields the file to change."""
        folder = landing / origin.source / str(origin.release)
        shutil.rmtree(landing, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in origin.files:
            shutil.copyfile(path, folder / path.name)
        yield folder / origin.file.name

    def _numbers(self, workbench: Path, source: str) -> Numbers:
        """The rows of a source's staging models, without their addresses in the files."""
        numbers = {}
        with duckdb.connect(workbench) as con:
            for table in all_sources()[source].tables:
                view = f"staging.stg_{table.name}"
                columns = [
                    f'"{name}"' for name in con.sql(f"from {view}").columns if name not in _LINEAGE
                ]
                query = f"select {', '.join(columns)} from {view} order by all"
                numbers[table.name] = con.execute(query).fetchall()
        return numbers


def staging_views(workbench: Path) -> str:
    """The SQL that creates the staging models which a workbench has."""
    with duckdb.connect(workbench, read_only=True) as con:
        views = con.execute(
            "select sql from duckdb_views() where schema_name = 'staging' order by view_name"
        ).fetchall()
    return "".join(["create schema staging;\n", *(sql for (sql,) in views)])


def _load_and_gate(workbench: Path, landing: Path, origin: Origin) -> str | None:
    """Load and gate the release; return why it was refused or rejected, None if it is accepted."""
    source = all_sources()[origin.source]

    @contextmanager
    def connect() -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(workbench) as con:
            yield con

    try:
        release = find_release(source, landing, str(origin.release))
        with connect() as con:
            load_release(con, source, release, reload=True)
    except BadInput as problem:
        return str(problem)
    results = gate_release(
        Settings(warehouse_dir=workbench.parent), connect, source, origin.release, "corpus"
    )
    return explain(results) or None


def _judge(
    origin: Origin,
    mutation: Mutation,
    seed: int,
    message: str | None,
    found: Numbers,
    right: Numbers,
) -> Verdict:
    def verdict(outcome: str, about: str) -> Verdict:
        return Verdict(origin, mutation, seed, outcome, about)

    if message is not None:
        if found != right:
            return verdict(WRONG, f"refused, and the current rows have changed: {message}")
        if mutation.expected is Expected.ACCEPTED:
            return verdict(WRONG, f"harmless, and refused: {message}")
        if complaint := _unclear(message, origin):
            return verdict(WRONG, f"{complaint}: {message}")
        return verdict(REFUSED, message)
    if _lacks_its_companion(origin, found, right):
        return verdict(ACCEPTED, "without what only describes the data")
    if mutation.expected is Expected.REFUSED:
        return verdict(WRONG, "accepted")
    if found == right:
        return verdict(ACCEPTED, "")
    outcome = UNDETECTABLE if mutation.expected is Expected.UNDETECTABLE else WRONG
    return verdict(outcome, _difference(found, right))


@unpacked_once()
def _lacks_its_companion(origin: Origin, found: Numbers, right: Numbers) -> bool:
    """Whether all numbers are right, and only some or all of their descriptions are missing."""
    source = all_sources()[origin.source]
    if not source.is_companion(origin.file):
        return False
    table = layout_of(origin.file, source.layouts).table.name
    lost = set(found[table]) <= set(right[table])  # a second copy of it is left out, too
    return lost and found == right | {table: found[table]}


def _unclear(message: str, origin: Origin) -> str | None:
    """Say what a message lacks: it names the release or its file, what was expected and found."""
    for line in message.splitlines():
        lacking = [part for part in ("expected: ", "found: ", "what to do: ") if part not in line]
        if lacking:
            return f"a message without {', '.join(lacking)}"
        if not any(
            name in line for name in (origin.file.name, str(origin.release), f"raw.{origin.source}")
        ):
            return "a message that names neither file nor release"
        if not line.isprintable():
            return "a message that cannot be printed"
    return None


def _difference(found: Numbers, right: Numbers) -> str:
    lines = []
    for table in right:
        lost, new = set(right[table]) - set(found[table]), set(found[table]) - set(right[table])
        lines.append(
            f"{table}: {len(right[table])} -> {len(found[table])} rows;"
            f" lost {sorted(map(str, lost))[:2]}, new {sorted(map(str, new))[:2]}"
        )
    return "; ".join(lines)
