"""Running dbt in this process, on a manifest that is parsed once for each state of the project.

dbt costs seconds to import: only the functions here do it, when they are called.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.base.environment import own_environment
from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import tree_sha256
from dagster_project.base.progress import SILENT, Progress, ProgressReport
from dagster_project.base.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from dbt.artifacts.schemas.results import NodeResult
    from dbt.contracts.graph.manifest import Manifest

DBT_PROJECT = PROJECT_ROOT / "dbt"
_TARGET = DBT_PROJECT / "target"
_MANIFEST = _TARGET / "manifest.json"
_STAMP = _TARGET / "manifest.sha256"
_SUFFIXES = frozenset({".sql", ".yml", ".csv", ".md"})


class DbtError(Exception):
    """dbt could not run, or nodes failed; the message has each failing node's own."""


def project_state() -> str:
    """Return what tells whether the dbt project is still the same: where it is, and a digest."""
    # The parser keeps absolute paths: in a project that was copied or moved they lead elsewhere.
    return f"{DBT_PROJECT} {tree_sha256([DBT_PROJECT], _SUFFIXES)}"


def manifest_path() -> Path:
    """Return the manifest's path; the project is parsed first if it has changed since.

    Raises BadInput if dbt cannot parse it.
    """
    state = project_state()
    stamp = _STAMP.read_text() if _STAMP.exists() else ""
    if not (_MANIFEST.exists() and stamp == state):
        _TARGET.mkdir(exist_ok=True)
        _STAMP.unlink(missing_ok=True)  # an interrupted parse leaves half a manifest
        if not stamp.startswith(f"{DBT_PROJECT} "):
            (_TARGET / "partial_parse.msgpack").unlink(missing_ok=True)
        try:
            # No database is opened: the project is parsed alike for every warehouse folder.
            _invoke(own_environment(), ["parse", "--target-path", str(_TARGET)])
        except DbtError as error:
            raise BadInput(
                "a model, seed or YAML file that dbt cannot parse",
                where="dbt/",
                expected="a dbt project that parses",
                found=str(error),
                fix="correct the file that dbt names",
            ) from error
        _STAMP.write_text(state)
    return _MANIFEST


@cache
def manifest() -> Mapping[str, Any]:
    """Return the manifest, as parsed JSON."""
    return json.loads(manifest_path().read_bytes())


@cache
def _parsed() -> "Manifest":
    from dbt.contracts.graph.manifest import Manifest

    manifest_path()
    parsed = Manifest.from_msgpack((_TARGET / "partial_parse.msgpack").read_bytes())
    parsed.build_flat_graph()  # what macros see as `graph`; dbt itself builds it as it parses
    return parsed


def run_dbt(
    settings: Settings, args: Sequence[str], what: str = "dbt", report: ProgressReport = SILENT
) -> "list[NodeResult]":
    """Run a dbt command on the workbench and return each node's result, also of failing ones.

    what: what the progress that is reported is called.
    Raises DbtError if dbt did not get as far as running nodes.
    """
    from dbt.contracts.graph.nodes import CompiledNode

    # Its results are returned: nothing reads them, or the manifest again, from files.
    artifacts = ["--no-write-json", "--target-path", str(settings.warehouse_dir / "dbt_target")]
    settings.candidate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    parsed = _parsed()
    for node in parsed.nodes.values():
        # dbt puts ephemeral models into a query once per manifest: the next run would go without.
        if isinstance(node, CompiledNode):
            node.extra_ctes_injected, node.extra_ctes = False, []
    with report.follow(what, " nodes") as progress:
        return _invoke(
            _environment(settings), [*args, *artifacts], parsed, [partial(_note, progress)]
        )


def _note(progress: Progress, event: Any) -> None:
    """Note how many nodes there are, and each that is done."""
    match event.info.name:
        case "LogStartLine":
            progress.total = event.data.total
        case "NodeFinished":
            progress.advance()


def _invoke(
    environment: AbstractContextManager[None],
    args: Sequence[str],
    parsed: "Manifest | None" = None,
    callbacks: Sequence[Callable[[Any], None]] = (),
) -> "list[NodeResult]":
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    folders = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    quiet = ["--log-level", "none", "--log-level-file", "none"]
    with environment:
        try:
            outcome = dbtRunner(manifest=parsed, callbacks=list(callbacks)).invoke(
                [*args, *folders, *quiet]
            )
        finally:
            # dbt-duckdb keeps its connection, and with it the lock on the files.
            DuckDBConnectionManager.close_all_connections()
    if outcome.exception is not None:
        raise DbtError(f"dbt {args[0]}: {outcome.exception}") from outcome.exception
    results = getattr(outcome.result, "results", [])
    return [result for result in results if not _is_hook_that_ran(result)]


def _is_hook_that_ran(result: "NodeResult") -> bool:
    """Whether a result is that of SQL from `dbt_project.yml`, of which only a failure is news."""
    return str(result.node.resource_type) == "operation" and str(result.status) == "success"


def _environment(settings: Settings) -> AbstractContextManager[None]:
    """Set the variables that `dbt/profiles.yml` reads, and keep a user's from dbt."""
    return own_environment(
        {
            "DBT_LOG_PATH": str(settings.warehouse_dir / "dbt_target"),
            "ROYALTY_WAREHOUSE_DIR": str(settings.warehouse_dir),
            "ROYALTY_SEEDS_DIR": str(DBT_PROJECT / "seeds"),
            "ROYALTY_DUCKDB_MEMORY_LIMIT": settings.duckdb_memory_limit,
            "ROYALTY_DUCKDB_THREADS": str(settings.duckdb_threads),
        }
    )
