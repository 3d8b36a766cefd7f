"""Shared test code: a warehouse folder per test, and queries on its files."""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster import DagsterInstance

from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.pipeline.rebuild import rebuild
from dagster_project.pipeline.run import run
from dagster_project.publication.kept_files import Publication
from dagster_project.publication.publish import publish
from dagster_project.workbench.checksums import checksum_query

FIXTURES = Path(__file__).parent / "fixtures"
MADE_UP = FIXTURES / "landing_made_up"
BULK = MADE_UP / "worldbank_wdi" / "2021-09-15" / "made_up_API.csv"
BARE = MADE_UP / "worldbank_wdi" / "2016-03-01" / "made_up_receipts.csv"
COUNTRIES = MADE_UP / "worldbank_wdi" / "2021-09-15" / "made_up_Metadata_Country.csv"
INDICATORS = MADE_UP / "worldbank_wdi" / "2021-09-15" / "made_up_Metadata_Indicator.csv"
STEP_EVENTS = {"STEP_START", "STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}
REAL_FILES = PROJECT_ROOT.parent / "shared" / "landing"  # not part of the repository
REAL_FILES_MORE = REAL_FILES.with_name("landing-more")
TEXTS = PROJECT_ROOT / "landing" / "published_figures"
TEXT = MADE_UP / "published_figures" / "2019-06-30" / "made_up_text.csv"
COLLECTED = pytest.StashKey[list[pytest.Item]]()  # tests, before any is deselected


def interrupt(*_: object) -> None:
    """Replace a function; the process is interrupted when it is called."""
    raise KeyboardInterrupt


@dataclass(frozen=True)
class Outcome:
    """Exit code, output and steps of a run of the main job: (job, event type, step) in order.

    shown: the metadata of each materialization in the UI: (asset, partition, metadata).
    """

    code: int
    output: str
    steps: list[tuple[str, str, str]]
    shown: list[tuple[str, str | None, dict[str, Any]]] = field(default_factory=list)

    def started(self, job: str) -> list[str]:
        """Return the steps of a job that started."""
        return [step for name, event, step in self.steps if (name, event) == (job, "STEP_START")]

    def metadata(self, asset: str, partition: str | None = None) -> dict[str, Any]:
        """Return the metadata of an asset's one materialization."""
        (found,) = [shown for name, part, shown in self.shown if (name, part) == (asset, partition)]
        return found


@dataclass(frozen=True)
class Warehouse:
    """A landing folder and a warehouse folder; `use` makes them those of the environment."""

    folder: Path

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def settings(self) -> Settings:
        return Settings(landing_dir=self.landing, warehouse_dir=self.folder / "warehouse")

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ROYALTY_LANDING_DIR": str(self.landing),
            "ROYALTY_WAREHOUSE_DIR": str(self.folder / "warehouse"),
            "DAGSTER_HOME": str(self.folder / "dagster_home"),
            "ROYALTY_BUNDLED_RELEASES": "false",
            "ROYALTY_SETTLE_SECONDS": "0",
        }

    def land(self, source: str, release: str, name: str, content: str | bytes) -> Path:
        """Put a raw file into the landing folder."""
        path = self.landing / source / release / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *reload: str, keep_history: bool = False) -> Outcome:
        """Run the main job, on a temporary Dagster instance, or on the folder's own."""
        printed = io.StringIO()
        if keep_history:
            dagster_home()
        kept = DagsterInstance.get() if keep_history else DagsterInstance.ephemeral()
        with kept as instance, contextlib.redirect_stdout(printed):
            code = run(self.settings, reload, instance)
            events = [
                (run_.job_name, entry.dagster_event)
                for run_ in reversed(instance.get_runs())
                for entry in instance.all_logs(run_.run_id)
                if entry.dagster_event
            ]
        steps = [
            (job, event.event_type_value, event.step_key)
            for job, event in events
            if event.event_type_value in STEP_EVENTS and event.step_key
        ]
        shown = [
            (
                "/".join(made.asset_key.path),
                made.partition,
                {name: plain(value) for name, value in made.metadata.items()},
            )
            for _, event in events
            if event.event_type_value == "ASSET_MATERIALIZATION"
            for made in (event.step_materialization_data.materialization,)
            if made.asset_key
        ]
        return Outcome(code, printed.getvalue(), steps, shown)

    def workbench(self, sql: str) -> list[tuple]:
        return rows(self.settings.workbench, sql)

    def published(self, sql: str) -> list[tuple]:
        return rows(self.settings.warehouse, sql)

    def change_ledger(self, sql: str) -> None:
        with duckdb.connect(self.settings.workbench) as con:
            con.execute(sql)

    def restore_candidate(self) -> str:
        """Make the published file the candidate again, as it was before; return its id."""
        candidate_id = str(
            self.published("select max_by(candidate_id, published_at) from audit.publication")[0][0]
        )
        path = self.settings.candidate
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        shutil.copyfile(self.settings.warehouse, path)
        with duckdb.connect(path) as con:
            con.execute("drop table audit.publication")
            con.execute(f"create table audit.candidate as select '{candidate_id}' as candidate_id")
        return candidate_id

    def gate_candidate(self) -> None:
        """Enter the candidate's tables in the ledger as if their gates had seen them so."""
        with duckdb.connect(self.settings.candidate, read_only=True) as con:
            seen = {
                table: con.execute(checksum_query(table)).fetchall()[0]
                for (table,) in con.execute(
                    "select schema_name || '.' || table_name from duckdb_tables()"
                    " where schema_name in ('core', 'marts')"
                ).fetchall()
            }
        with duckdb.connect(self.settings.workbench) as con:
            for table, content in seen.items():
                con.execute(
                    "update audit.gate_results set row_count = ?, checksum = ?"
                    " where table_name = ? and checksum is not null",
                    [*content, table],
                )

    def publish_candidate(self) -> Publication:
        """Publish the candidate, with all checks of the ledger."""
        return publish(self.settings, "made-up-run")

    def copy(self, folder: Path) -> "Warehouse":
        """Copy all but the history; the published file stays a second name of the newest."""
        history = shutil.ignore_patterns("dagster_home")
        shutil.copytree(self.folder, folder, dirs_exist_ok=True, symlinks=True, ignore=history)
        copied = Warehouse(folder)
        kept = sorted(copied.settings.publications.glob("*.duckdb"))
        if kept:
            copied.settings.warehouse.unlink()
            os.link(kept[-1], copied.settings.warehouse)
        return copied


def writable_copy(source: Path, target: Path, **options: Any) -> Path:
    """Copy a folder of the checkout, which may be read-only; the copy is not."""
    shutil.copytree(source, target, **options)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o700 if path.is_dir() else 0o600))
    return target


def plain(value: dg.MetadataValue) -> Any:
    """Return the content of a metadata value as JSON data."""
    if hasattr(value, "records"):
        return [dict(record.data) for record in value.records]
    if isinstance(value, dg.TableColumnLineageMetadataValue):
        return {
            column: [f"{'/'.join(dep.asset_key.path)}.{dep.column_name}" for dep in deps]
            for column, deps in value.value.deps_by_column.items()
        }
    return value.value if isinstance(value.value, str | int | float) else str(value.value)


def rows(path: Path, sql: str) -> list[tuple]:
    """Return what a query finds in a DuckDB file, which is opened read-only."""
    with duckdb.connect(path, read_only=True) as con:
        return con.execute(sql).fetchall()


def held_by(path: Path) -> str:
    """Return the id of the publication that a file holds, by the ledger in it."""
    ((publication,),) = rows(path, "select max(publication_id) from audit.publication")
    return str(publication)


@contextlib.contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables temporarily; session fixtures cannot use `monkeypatch`."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@dataclass(frozen=True)
class Scenario:
    """A warehouse folder that one test process built and all read, with the run's outcome."""

    warehouse: Warehouse
    outcome: Outcome


def built_once(
    folder: Path, build: Callable[[Warehouse], Outcome], start: Warehouse | None = None
) -> Scenario:
    """Build a scenario unless another test process has; a file lock makes the others wait."""
    from filelock import FileLock

    warehouse, report = Warehouse(folder), folder / "outcome.json"
    with FileLock(folder.with_suffix(".lock")):
        if not report.exists():
            if start:
                start.copy(folder)
                report.unlink()
            folder.mkdir(parents=True, exist_ok=True)
            with environment(warehouse.environment):
                outcome = build(warehouse)
            report.write_text(json.dumps(vars(outcome)))
        saved = json.loads(report.read_text())
    steps = [(job, event, step) for job, event, step in saved["steps"]]
    shown = [(asset, partition, metadata) for asset, partition, metadata in saved["shown"]]
    return Scenario(warehouse, Outcome(saved["code"], saved["output"], steps, shown))


@cache
def defs() -> dg.Definitions:
    """Return the graph, built once for a process; each run brings its own settings."""
    from dagster_project.definitions import definitions

    return definitions(Settings())


def job_named(name: str) -> dg.JobDefinition:
    """Return a job of the graph."""
    return defs().resolve_job_def(name)


def execute(selection: "dg.AssetSelection", **options: Any) -> "dg.ExecuteInProcessResult":
    """Execute a part of the graph, with its gates, on the warehouse of the environment."""

    from dagster_project.defs.resources import resources

    partitions = options.pop("partitions_def", None)
    job = dg.define_asset_job("part", selection=selection, partitions_def=partitions)
    return (
        dg.Definitions.merge(defs(), dg.Definitions(jobs=[job]))
        .resolve_job_def("part")
        .execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            resources=resources(Settings()),
            raise_on_error=False,
            **options,
        )
    )


GARBAGE = b"not a DuckDB file, once it was one"


def rebuilt(warehouse: Warehouse, *, force: bool = False) -> Outcome:
    """Rebuild on a temporary Dagster instance."""
    printed = io.StringIO()
    with DagsterInstance.ephemeral() as instance, contextlib.redirect_stdout(printed):
        code = rebuild(warehouse.settings, force=force, instance=instance)
    return Outcome(code, printed.getvalue(), [])


# Each is hard on some program: shells, Jinja, SQL, URLs, patterns, `format`, printf, options.
ODD_NAMES = (
    "$HOME ${X} $",
    "{x} {{ x }} {% y %}",
    "%s %(a)s 100%",
    "a # b ; c & d",
    'it\'s "quoted" `so`',
    "back\\slash *[a]",
    "*[2021]{b}",
    " ü 文 e\u0301 ",
    "-rf",
    "~",
    "f" * 200,
)
