"""The commands: each takes the settings and its options, and returns an exit code.

They import what takes seconds to import when called. Each raises BadInput for what it refuses.
"""

import argparse
import os
import socket
import sys
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from typing import NoReturn

import duckdb

from dagster_project.base.dagster_home import home_folder
from dagster_project.base.dagster_postgres import use_postgres
from dagster_project.base.env_file import stated_settings
from dagster_project.base.errors import BadInput
from dagster_project.base.logs import say
from dagster_project.base.machine_errors import machine_error_behind
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


def _run(settings: Settings, options: argparse.Namespace) -> int:
    return run(settings, options.reload)


def _publish(settings: Settings, _: argparse.Namespace) -> int:
    return publish_again(settings)


def _rebuild(settings: Settings, options: argparse.Namespace) -> int:
    from dagster_project.pipeline.rebuild import rebuild

    return rebuild(settings, force=options.force)


def _report(settings: Settings, options: argparse.Namespace) -> int:
    from dagster_project.report.site import write_report, write_report_to

    to = options.to.absolute() if options.to else None
    done = write_report_to(settings, to) if to else write_report(settings)
    say(f"report on {done.publication_id}: {(to or settings.report) / 'index.html'}")
    return PUBLISHED


def _status(settings: Settings, options: argparse.Namespace) -> int:
    for line in status(settings, _last_failure):
        say(line)
    say(f"settings      the environment, then {env_file() or 'no file'}, then defaults")
    for line in stated_settings(settings, home_folder(), options.origins):
        say(f"  {line}")
    return PUBLISHED


def _docs(_settings: Settings, _: argparse.Namespace) -> int:
    from dagster_project.gates.policy_page import write_gate_policy
    from dagster_project.transform.docs.dictionary import write_data_dictionary

    write_data_dictionary()
    write_gate_policy()
    return PUBLISHED


def _roll_back(settings: Settings, options: argparse.Namespace) -> int:
    with write_lock(settings):
        chosen = roll_back(settings, options.to, options.reason)
        say(f"publication {chosen} is live")
        if settings.publish_url:
            upload_live(settings)
    return PUBLISHED


def _verify(settings: Settings, options: argparse.Namespace) -> int:
    """Print what was verified. Raises BadInput if there are problems.

    --rebuild: also build the publication again from nothing, and compare.
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
    return _verify_by_rebuild(settings) if options.rebuild else PUBLISHED


def _verify_by_rebuild(settings: Settings) -> int:
    from dagster_project.pipeline.verification import verify_by_rebuild

    problems = verify_by_rebuild(settings)
    for problem in problems:
        say(f"DIFFERENT {problem}", "ERROR")
    if not problems:
        say(f"publication {publication_id(settings)} equals one that was built from nothing")
    return FAILED if problems else PUBLISHED


def _decide(settings: Settings, options: argparse.Namespace) -> int:
    with write_lock(settings), open_workbench(settings) as con:
        DECISIONS[options.command](con, options.release, options.reason)
    say(f"{options.release}: done. run `make run` to build and publish accordingly")
    return PUBLISHED


def _upload(settings: Settings, options: argparse.Namespace) -> int:
    with write_lock(settings):
        upload_live(settings, force=options.force)
    return PUBLISHED


def upload_live(settings: Settings, *, force: bool = False) -> None:
    """Put the live publication into object storage. Raises BadInput if it does not get there."""
    from dagster_project.publication.upload import upload

    if not settings.publish_url:
        raise BadInput(
            "nowhere to upload to",
            where="ROYALTY_PUBLISH_URL",
            expected="the URL of a folder in object storage: s3://bucket/prefix",
            found="no value",
            fix="set the variable (docs/object-storage.md)",
        )
    done = upload(settings, force=force)
    say(
        f"uploaded {done.publication_id}: {done.url} ({done.objects} objects, {done.bytes:,} bytes;"
        f" {len(done.stored)} written now)"
    )


def _last_failure() -> str:
    home = home_folder()
    if os.path.exists(home) and not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return f"unknown: this user cannot write to {home}, and Dagster does not only read"
    if not (home / "dagster.yaml").is_file():
        return "unknown: there is no Dagster instance yet"
    from dagster import DagsterInstance

    from dagster_project.defs.run_history import last_failure

    try:
        use_postgres()
        with DagsterInstance.get() as instance:
            return last_failure(instance)
    except Exception as error:  # its files may be another user's
        problem = error if isinstance(error, BadInput) else machine_error_behind(error)
        if problem is None:
            raise
        return f"unknown: {problem.found}"


def _prune(settings: Settings, options: argparse.Namespace) -> int:
    from dagster import DagsterInstance

    from dagster_project.defs.run_history import old_runs
    from dagster_project.maintenance.prune import prune

    dagster_home()
    with DagsterInstance.get() as instance:
        removed = prune(settings, partial(old_runs, instance), dry_run=options.dry_run)
    for what in removed:
        say(f"{'would remove' if options.dry_run else 'removed'} {what}")
    if not removed:
        say("nothing to remove")
    return PUBLISHED


def _remove_warehouse(settings: Settings, options: argparse.Namespace) -> int:
    """List what would be removed, ask, and remove it. Raises BadInput if the answer is not yes."""
    from dagster_project.maintenance.warehouse_removal import (
        remove_contents,
        size_of,
        warehouse_contents,
    )

    contents = warehouse_contents(settings, home_folder())
    for path in contents:
        say(f"{path} ({size_of(path):,} bytes)")
    if not contents:
        say(f"nothing to remove in {settings.warehouse_dir} and {home_folder()}")
        return PUBLISHED
    answer = "yes" if options.yes else ""
    if not options.yes and sys.stdin.isatty():
        answer = input("Remove all this, with the ledger and the manual decisions? (yes/no) ")
    if answer.strip().lower() != "yes":
        raise BadInput(
            "the warehouse was not removed",
            where=str(settings.warehouse_dir),
            expected="the answer yes, or `make clean-warehouse YES=1`",
            found=f"the answer {answer!r}" if sys.stdin.isatty() else "no terminal to ask on",
            fix="to keep the decisions, copy the published file first: `make rebuild` reads them",
        )
    with write_lock(settings):
        remove_contents(warehouse_contents(settings, home_folder()))
    say(f"removed; `make run` builds a new one from {settings.landing_dir}")
    return PUBLISHED


def _open_ui(settings: Settings, options: argparse.Namespace) -> NoReturn:
    """Replace this process by `dg dev` with the guarded UI.

    Raises BadInput if the port is taken: `dg` ignores that.
    """
    _refuse_if_taken(options.port)
    dagster_home()
    _fail_orphaned_ui_runs(settings)
    os.chdir(PROJECT_ROOT)
    # Else `dg` warns that it is not active, or that another is: of another checkout.
    os.environ["VIRTUAL_ENV"] = sys.prefix
    lines = ["--log-format", "json"] if settings.log_format == "json" else []
    module = [sys.executable, "-m", "dagster_project.ui.develop"]
    os.execv(sys.executable, [*module, "--host", "127.0.0.1", "--port", str(options.port), *lines])


def _serve(settings: Settings, options: argparse.Namespace) -> NoReturn:
    """Replace this process by a part of the service."""
    from dagster_project.service.processes import serve

    if options.part == "code":  # its runs are its children, so none is alive
        dagster_home()
        _fail_orphaned_ui_runs(settings)
    serve(options.part, options.host, options.port)


def _install_service(settings: Settings, options: argparse.Namespace) -> int:
    from dagster_project.service.units import write_units

    written = write_units(settings, options.to, options.user, options.port)
    for path in written:
        say(f"written {path}")
    systemctl = "systemctl" if os.geteuid() == 0 else "systemctl --user"
    names = " ".join(path.stem for path in written)
    say(f"run `{systemctl} daemon-reload`, then `{systemctl} enable --now {names}`")
    return PUBLISHED


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
    except (BadInput, OSError):
        return  # another run is writing: those runs may be alive; or this user only reads


def _query_metrics(settings: Settings, options: argparse.Namespace) -> int:
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
    return PUBLISHED


def _open_shell(settings: Settings, _: argparse.Namespace) -> NoReturn:
    """Replace this process by DuckDB's shell. Raises BadInput if there is nothing to read."""
    _refuse_if_unreadable(settings)
    # As a module: the script has an absolute path, which is wrong in a copied environment.
    shell = [sys.executable, "-m", "duckdb_cli", "-readonly", "-cmd", _NO_DOWNLOADS]
    os.execv(sys.executable, [*shell, str(settings.warehouse)])


def _refuse_if_unreadable(settings: Settings) -> None:
    refuse_if_unpublished(settings, "query")
    publications_in(settings.warehouse)  # raises BadInput if the file cannot be read


COMMANDS: Mapping[str, Callable[[Settings, argparse.Namespace], int]] = {
    "run": _run,
    "publish": _publish,
    "rebuild": _rebuild,
    "verify": _verify,
    "upload": _upload,
    "rollback": _roll_back,
    **dict.fromkeys(DECISIONS, _decide),
    "status": _status,
    "report": _report,
    "sql": _open_shell,
    "metrics": _query_metrics,
    "dev": _open_ui,
    "serve": _serve,
    "install-service": _install_service,
    "prune": _prune,
    "clean-warehouse": _remove_warehouse,
    "docs": _docs,
}
