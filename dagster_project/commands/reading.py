"""What reads the warehouse: status, report, SQL shell, metrics, the generated docs.

Each command takes the settings and its options, returns an exit code, and raises BadInput for what
it refuses. What takes seconds to import is imported when called.
"""

import argparse
import os
import sys
from itertools import chain
from typing import NoReturn

import duckdb

from dagster_project.base.dagster_home import home_folder
from dagster_project.base.dagster_postgres import use_postgres
from dagster_project.base.env_file import stated_settings
from dagster_project.base.errors import BadInput
from dagster_project.base.logs import say
from dagster_project.base.machine_errors import machine_error_behind
from dagster_project.base.settings import Settings, env_file
from dagster_project.maintenance.status import status
from dagster_project.pipeline.run import (
    PUBLISHED,
)
from dagster_project.publication.kept_files import (
    publications_in,
    refuse_if_unpublished,
)

# The shell would download an extension for a query that names a URL.
_NO_DOWNLOADS = (
    "set autoinstall_known_extensions = false; set autoload_known_extensions = false;"
    " set allow_community_extensions = false"
)


def show_status(settings: Settings, options: argparse.Namespace) -> int:
    """Print the state of the warehouse, and where its settings come from."""
    for line in status(settings, failure_of_last_run):
        say(line)
    say(f"settings      the environment, then {env_file() or 'no file'}, then defaults")
    for line in stated_settings(settings, home_folder(), options.origins):
        say(f"  {line}")
    return PUBLISHED


def failure_of_last_run() -> str:
    """Return the failure of the last run that failed, or why it is unknown."""
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
    except BadInput as refused:
        return f"unknown: {refused}"
    except Exception as error:  # its files may be another user's
        problem = machine_error_behind(error)
        if problem is None:
            raise
        return f"unknown: {problem.found}"


def build_report(settings: Settings, options: argparse.Namespace) -> int:
    """Write the report."""
    from dagster_project.report.site import write_report, write_report_to

    to = options.to.absolute() if options.to else None
    done = write_report_to(settings, to) if to else write_report(settings)
    say(f"report on {done.publication_id}: {(to or settings.report) / 'index.html'}")
    return PUBLISHED


def open_shell(settings: Settings, _: argparse.Namespace) -> NoReturn:
    """Replace this process by DuckDB's shell. Raises BadInput if there is nothing to read."""
    _refuse_if_unreadable(settings)
    # As a module: the script has an absolute path, which is wrong in a copied environment.
    shell = [sys.executable, "-m", "duckdb_cli", "-readonly", "-cmd", _NO_DOWNLOADS]
    os.execv(sys.executable, [*shell, str(settings.warehouse)])


def query_metrics(settings: Settings, options: argparse.Namespace) -> int:
    """Print the values of metrics."""
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


def _refuse_if_unreadable(settings: Settings) -> None:
    refuse_if_unpublished(settings, "query")
    publications_in(settings.warehouse)  # raises BadInput if the file cannot be read


def write_docs(_settings: Settings, _: argparse.Namespace) -> int:
    """Write the data dictionary and the tables of the gate policy."""
    from dagster_project.gates.policy_page import write_gate_policy
    from dagster_project.transform.docs.dictionary import write_data_dictionary

    write_data_dictionary()
    write_gate_policy()
    return PUBLISHED
