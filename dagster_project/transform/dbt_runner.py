"""Runs dbt in this process, on a manifest that is parsed once per state of the project.

dbt takes seconds to import, so functions import it when called.
"""

import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from traceback import clear_frames
from typing import TYPE_CHECKING, Any

from dagster_project.base.cache_folder import cache_folder
from dagster_project.base.environment import own_environment
from dagster_project.base.errors import BadInput, printable_text
from dagster_project.base.hashing import tree_sha256
from dagster_project.base.machine_errors import MachineError, machine_error_behind
from dagster_project.base.progress import SILENT, Progress, ProgressReport
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.transform.parse_cache import MANIFEST, MSGPACK, keep_parsed, parser_versions

if TYPE_CHECKING:
    from dbt.artifacts.schemas.results import NodeResult
    from dbt.contracts.graph.manifest import Manifest

DBT_PROJECT = PROJECT_ROOT / "dbt"
_SUFFIXES = frozenset({".sql", ".yml", ".yaml", ".csv", ".md", ".py"})


class DbtError(Exception):
    """dbt could not run, or nodes failed; the message includes those of failing nodes."""

    def __init__(self, message: str) -> None:
        super().__init__(printable_text(message))  # it may quote cells


def dbt_cache() -> Path:
    """Return the folder of files made from the dbt project alone, for every warehouse."""
    return cache_folder("dbt", DBT_PROJECT)


def project_state() -> str:
    """Return a text that changes with the dbt project: its folder and a digest."""
    # The manifest has absolute paths, which are wrong after the project was copied or moved.
    return f"{DBT_PROJECT} {tree_sha256([DBT_PROJECT], _SUFFIXES)}"


def manifest_path() -> Path:
    """Return the manifest's path, after parsing the project if it has changed.

    Raises BadInput if dbt cannot parse it.
    """
    target = dbt_cache()
    keep_parsed(target, f"{project_state()} {parser_versions()}", _parse)
    return target / MANIFEST


def _parse(folder: Path) -> None:
    """Have dbt parse the project, and write its files to a folder. Raises BadInput."""
    try:
        # No database is opened, and no setting of this run is seen: the files are for all.
        _invoke(_no_settings(folder), ["parse", "--no-partial-parse", "--target-path", str(folder)])
    except DbtError as error:
        raise BadInput(
            "a model, seed or YAML file that dbt cannot parse",
            where="dbt/",
            expected="a dbt project that parses",
            found=str(error),
            fix="correct the file that dbt names",
        ) from error


@cache
def manifest() -> Mapping[str, Any]:
    """Return the manifest, as parsed JSON."""
    _state_when_read()
    return json.loads(manifest_path().read_bytes())


@cache
def _state_when_read() -> str:
    return project_state()


def dbt_has_changed() -> bool:
    """Whether dbt's project has changed since this process has read its manifest."""
    return project_state() != _state_when_read()


@cache
def _parsed() -> "Manifest":
    from dbt.contracts.graph.manifest import Manifest

    parsed = Manifest.from_msgpack(manifest_path().with_name(MSGPACK).read_bytes())
    parsed.build_flat_graph()  # macros use it as `graph`; dbt builds it while parsing
    return parsed


def run_dbt(
    settings: Settings,
    args: Sequence[str],
    what: str = "dbt",
    report: ProgressReport = SILENT,
    tests: Collection[str] | None = None,
) -> "list[NodeResult]":
    """Run a dbt command on the workbench and return all nodes' results, including failures.

    what: the name in progress reports. tests: the only data tests that dbt sees, by unique id;
    linking the others into its graph takes longer than a small wave of models.
    Raises DbtError if dbt did not get as far as running nodes, and MachineError if one failed for
    an error of the machine: then no failure is a verdict.
    """
    from dbt.contracts.graph.nodes import CompiledNode

    # Results are returned, so dbt need not write them, or the manifest, to files.
    artifacts = ["--no-write-json", "--target-path", str(settings.warehouse_dir / "dbt_target")]
    settings.candidate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    parsed = _parsed()
    for node in parsed.nodes.values():
        # dbt inlines ephemeral models once per manifest: the next run would lack them.
        if isinstance(node, CompiledNode):
            node.extra_ctes_injected, node.extra_ctes = False, []
    if tests is not None:
        parsed = _without_tests(parsed, tests)
    of_machine: list[MachineError] = []
    with report.follow(what, " nodes") as progress:
        callbacks = [partial(_note, progress), partial(_note_machine_error, of_machine)]
        results = _invoke(_environment(settings), [*args, *artifacts], parsed, callbacks)
    if of_machine:
        raise of_machine[0]
    return results


def _note_machine_error(found: list[MachineError], event: Any) -> None:
    """Note the error of the machine that fails a node.

    Results have only its message. dbt sends the event while it handles the exception, in the same
    thread.
    """
    if event.info.name in ("CatchableExceptionOnRun", "GenericExceptionOnRun"):
        problem = machine_error_behind(sys.exc_info()[1], event.data.node_info.node_name)
        if problem:
            found.append(problem)


def _without_tests(parsed: "Manifest", but: Collection[str]) -> "Manifest":
    """Return a copy of the manifest without unit tests and data tests, except some."""
    nodes = {
        unique_id: node
        for unique_id, node in parsed.nodes.items()
        if node.resource_type != "test" or unique_id in but
    }
    return replace(parsed, nodes=nodes, unit_tests={})


def render(expression: str) -> Any:
    """Return the value of a Jinja expression of the project's macros. No database is opened.

    Raises DbtError.
    """
    query = f"{{{{ tojson({expression}) }}}}"
    options = ["--no-populate-cache", "--no-introspect", "--no-write-json"]
    target = dbt_cache()
    arguments = ["compile", *options, "--target-path", str(target), "--inline", query]
    (result,) = _invoke(_no_settings(target), arguments, _parsed())
    compiled: Any = result.node
    return json.loads(compiled.compiled_code)


def _note(progress: Progress, event: Any) -> None:
    """Update the progress with the number of nodes, and each finished node."""
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
            # dbt-duckdb keeps its connection open, and thereby the lock on the files.
            DuckDBConnectionManager.close_all_connections()
    if outcome.exception is not None:
        _release_connections(outcome.exception)
        raise DbtError(f"dbt {args[0]}: {outcome.exception}") from outcome.exception
    results = getattr(outcome.result, "results", [])
    return [result for result in results if not _is_hook_that_ran(result)]


def _release_connections(error: BaseException | None) -> None:
    """Drop the local variables of the frames that an exception and its causes passed through.

    A query of a hook, or an attached file, that fails leaves dbt's connections among them. They
    would stay open, and lock the files, for as long as a caller keeps the exception.
    """
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _is_hook_that_ran(result: "NodeResult") -> bool:
    """Whether a result is a successful hook of `dbt_project.yml`, which is not reported."""
    return str(result.node.resource_type) == "operation" and str(result.status) == "success"


def _no_settings(logs: Path) -> AbstractContextManager[None]:
    """Set the variables that dbt reads while it parses to those of no warehouse."""
    return own_environment(
        {
            "DBT_LOG_PATH": str(logs),
            "ROYALTY_WAREHOUSE_DIR": "../warehouse",
            "ROYALTY_SEEDS_DIR": "seeds",
            "ROYALTY_DUCKDB_MEMORY_LIMIT": "4GB",
            "ROYALTY_DUCKDB_THREADS": "2",
        }
    )


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
