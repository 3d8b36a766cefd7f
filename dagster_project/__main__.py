"""The command line: `python -m dagster_project <command>`; the Makefile has a target for each."""

import argparse
import os
import socket
import sys
from functools import partial
from itertools import chain
from pathlib import Path

import duckdb
from pydantic import ValidationError

from dagster_project.base.dagster_home import home_folder
from dagster_project.base.env_file import load_env_file, stated_settings, unknown_settings
from dagster_project.base.environment import clear_environment
from dagster_project.base.errors import BadInput
from dagster_project.base.logs import say
from dagster_project.base.machine_errors import machine_error_behind
from dagster_project.base.output import unfailing_output, use_utf8
from dagster_project.base.private_files import private_by_default
from dagster_project.base.settings import PROJECT_ROOT, Settings, env_file
from dagster_project.ingest.manual_decisions import DECISIONS
from dagster_project.maintenance.status import status
from dagster_project.pipeline.run import (
    FAILED,
    PUBLISHED,
    dagster_home,
    fail_orphaned_runs,
    publish_again,
    run,
)
from dagster_project.publication.kept_files import (
    publication_id,
    publications_in,
    refuse_if_unpublished,
)
from dagster_project.publication.rollback import roll_back
from dagster_project.workbench.connection import open_workbench, write_lock

# The shell would download an extension for a query that names a URL.
_NO_DOWNLOADS = (
    "set autoinstall_known_extensions = false; set autoload_known_extensions = false;"
    " set allow_community_extensions = false"
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if arguments is None:
        use_utf8()
    unfailing_output()
    private_by_default()
    options = _parser().parse_args(arguments)
    try:
        options.origins = load_env_file()
        clear_environment()
        for line in unknown_settings():
            say(line, "WARNING")
        settings = _settings()
        if options.command in ("run", "publish", "rebuild"):
            return _run(settings, options)
        if options.command == "verify":
            return _verify(settings, rebuild=options.rebuild)
        _run_command(settings, options)
    except BadInput as problem:
        say(f"REFUSED {problem}", "ERROR")
        return FAILED
    except Exception as error:
        problem_of_machine = machine_error_behind(error)
        if problem_of_machine is None:
            raise
        say(f"FAILED {problem_of_machine}", "ERROR")
        return FAILED
    return PUBLISHED


def _run_command(settings: Settings, options: argparse.Namespace) -> None:
    """Run a command other than the main job. Returns when it has succeeded; raises otherwise."""
    match options.command:
        case "dev":
            _open_ui(settings, options.port)
        case "report":
            from dagster_project.report.site import write_report

            done = write_report(settings)
            say(f"report on {done.publication_id}: {settings.report / 'index.html'}")
        case "sql":
            _open_shell(settings)
        case "metrics":
            _query_metrics(settings, options)
        case "status":
            for line in status(settings, _last_failure):
                say(line)
            say(f"settings      the environment, then {env_file() or 'no file'}, then defaults")
            for line in stated_settings(settings, home_folder(), options.origins):
                say(f"  {line}")
        case "docs":
            from dagster_project.gates.policy_page import write_gate_policy
            from dagster_project.transform.docs.dictionary import write_data_dictionary

            write_data_dictionary()
            write_gate_policy()
        case "rollback":
            with write_lock(settings):
                chosen = roll_back(settings, options.to, options.reason)
            say(f"publication {chosen} is live")
        case "prune":
            _prune(settings, options.dry_run)
        case "reject" | "accept" | "forget":
            _decide(settings, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dagster_project", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="load new releases, build and publish")
    command.add_argument(
        "--reload",
        action="extend",
        type=str.split,
        default=[],
        metavar="SOURCE/DATE",
        help="load it again",
    )
    command = commands.add_parser("dev", help="open the Dagster UI on 127.0.0.1")
    command.add_argument("--port", type=int, default=3000)
    commands.add_parser("report", help="write the report, a static site, from the published file")
    commands.add_parser("sql", help="open a SQL shell on the published file, read-only")
    command = commands.add_parser("metrics", help="query the published metrics with MetricFlow")
    command.add_argument("metrics", nargs="+", type=str.split, metavar="METRIC")
    command.add_argument("--by", nargs="+", type=str.split, default=[], metavar="DIMENSION")
    command.add_argument("--where", nargs="+", default=[], metavar="CONDITION")
    command.add_argument("--order", default="", metavar="[-]NAME", help="--order=-receipts")
    command.add_argument("--limit", type=int)
    commands.add_parser("status", help="show live publication, current and rejected releases")
    commands.add_parser("docs", help="write data dictionary, gate policy tables and column lineage")
    commands.add_parser("publish", help="build and publish the current releases again")
    command = commands.add_parser("rebuild", help="rebuild the workbench from the landing folder")
    command.add_argument(
        "--force", action="store_true", help="go on even if current releases would be lost"
    )
    command = commands.add_parser("rollback", help="make an earlier publication live")
    command.add_argument("--to", metavar="PUBLICATION", help="default: the previous one")
    command.add_argument("--reason", default="none was given")
    command = commands.add_parser(
        "verify", help="verify the published file, its downloads and signature"
    )
    command.add_argument(
        "--rebuild", action="store_true", help="also build it again from nothing, and compare"
    )
    command = commands.add_parser("prune", help="remove old runs, entries, rows, publications")
    command.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    for name, about in (
        ("reject", "reject a current release"),
        ("accept", "accept a release that its gate rejected"),
        ("forget", "delete a release's rows and entries"),
    ):
        command = commands.add_parser(name, help=f"{about}; the ledger keeps the reason")
        command.add_argument("release", metavar="SOURCE/DATE")
        command.add_argument("--reason", required=True)
    return parser


def _settings() -> Settings:
    """Read the settings. Raises BadInput if one of them is invalid."""
    try:
        settings = Settings()
        duckdb.connect(config=settings.duckdb_config).close()
    except (ValidationError, duckdb.Error) as error:
        raise BadInput(
            "an invalid setting",
            where=f"the environment variables ROYALTY_*, or {env_file() or 'no file'}",
            expected="the values that README.md lists under Settings",
            found=" ".join(str(error).split()),
            fix="correct the variable, or unset it",
        ) from error
    return settings


def _run(settings: Settings, options: argparse.Namespace) -> int:
    match options.command:
        case "publish":
            return publish_again(settings)
        case "rebuild":
            from dagster_project.pipeline.rebuild import rebuild

            return rebuild(settings, force=options.force)
    return run(settings, options.reload)


def _verify(settings: Settings, *, rebuild: bool) -> int:
    """Print what was verified. Raises BadInput if there are problems.

    rebuild: also build the publication again from nothing, and compare.
    """
    from dagster_project.publication.verify import verify

    done = verify(settings)
    for subject, what in done.checked.items():
        say(f"{subject:<13} {what}")
    if done.problems:
        raise BadInput(
            "the publication is not as it was published",
            where=str(settings.warehouse),
            expected="file, tables, objects, gates, downloads and signature as published",
            found="; ".join(done.problems),
            fix="do not use it; activate another publication with `make rollback`, or build and"
            " publish again with `make publish`",
        )
    say("verified")
    return _verify_by_rebuild(settings) if rebuild else PUBLISHED


def _verify_by_rebuild(settings: Settings) -> int:
    from dagster_project.pipeline.verification import verify_by_rebuild

    problems = verify_by_rebuild(settings)
    for problem in problems:
        say(f"DIFFERENT {problem}", "ERROR")
    if not problems:
        say(f"publication {publication_id(settings)} equals one that was built from nothing")
    return FAILED if problems else PUBLISHED


def _decide(settings: Settings, options: argparse.Namespace) -> None:
    with write_lock(settings), open_workbench(settings) as con:
        DECISIONS[options.command](con, options.release, options.reason)
    say(f"{options.release}: done. run `make run` to build and publish accordingly")


def _last_failure() -> str:
    if not (home_folder() / "history").is_dir():
        return "unknown: there is no Dagster instance yet"
    from dagster import DagsterInstance

    from dagster_project.defs.run_history import last_failure

    with DagsterInstance.get() as instance:
        return last_failure(instance)


def _prune(settings: Settings, dry_run: bool) -> None:
    from dagster import DagsterInstance

    from dagster_project.defs.run_history import old_runs
    from dagster_project.maintenance.prune import prune

    dagster_home()
    with DagsterInstance.get() as instance:
        removed = prune(settings, partial(old_runs, instance), dry_run=dry_run)
    for what in removed:
        say(f"{'would remove' if dry_run else 'removed'} {what}")
    if not removed:
        say("nothing to remove")


def _open_ui(settings: Settings, port: int) -> None:
    """Replace this process by `dg dev` with the guarded UI.

    Raises BadInput if the port is taken: `dg` ignores that.
    """
    _refuse_if_taken(port)
    dagster_home()
    _fail_orphaned_ui_runs(settings)
    os.chdir(PROJECT_ROOT)
    os.environ.setdefault("VIRTUAL_ENV", sys.prefix)  # else `dg` warns that it is not active
    lines = ["--log-format", "json"] if settings.log_format == "json" else []
    module = [sys.executable, "-m", "dagster_project.ui.develop"]
    os.execv(sys.executable, [*module, "--host", "127.0.0.1", "--port", str(port), *lines])


def _refuse_if_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BadInput(
                "the port is taken",
                where=f"127.0.0.1:{port}",
                expected="a free port for the UI",
                found=error.strerror or str(error),
                fix="close the program that uses it (another UI?), or set `make dev PORT=...`",
            ) from error


def _fail_orphaned_ui_runs(settings: Settings) -> None:
    """Mark runs as failed that died with the machine: they would block the queue."""
    from dagster import DagsterInstance

    try:
        with write_lock(settings), DagsterInstance.get() as instance:
            fail_orphaned_runs(instance)
    except BadInput:
        return  # another run is writing: those runs may be alive


def _query_metrics(settings: Settings, options: argparse.Namespace) -> None:
    from dagster_project.transform.metricflow import metric_sql

    _refuse_if_unreadable(settings)
    # A word, or several in one text, as `make metrics METRICS="receipts balance"` passes them.
    metrics, by = list(chain(*options.metrics)), list(chain(*options.by))
    sql = metric_sql(metrics, by, options.where, options.order.split(), options.limit)
    with duckdb.connect(settings.warehouse, read_only=True) as con:
        try:
            con.sql(sql).show(max_rows=1000, max_width=200)
        except duckdb.Error as error:
            raise BadInput(
                "a query that the published file cannot answer",
                where="make metrics",
                expected="conditions on the dimensions of the metrics, in SQL",
                found=str(error).splitlines()[0],
                fix="correct WHERE; docs/metrics.md has examples",
            ) from error


def _open_shell(settings: Settings) -> None:
    """Replace this process by DuckDB's shell. Raises BadInput if there is nothing to read."""
    _refuse_if_unreadable(settings)
    shell = str(Path(sys.executable).with_name("duckdb"))
    os.execv(shell, [shell, "-readonly", "-cmd", _NO_DOWNLOADS, str(settings.warehouse)])


def _refuse_if_unreadable(settings: Settings) -> None:
    refuse_if_unpublished(settings, "query")
    publications_in(settings.warehouse)  # raises BadInput if the file cannot be read


if __name__ == "__main__":
    sys.exit(main())
