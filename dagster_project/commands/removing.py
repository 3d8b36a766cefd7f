"""What removes: old files, or the whole warehouse.

Each command takes the settings and its options, returns an exit code, and raises BadInput for what
it refuses. What takes seconds to import is imported when called.
"""

import argparse
import sys
from functools import partial

from dagster_project.base.dagster_home import dagster_home, home_folder
from dagster_project.base.errors import BadInput
from dagster_project.base.logs import say
from dagster_project.base.settings import Settings
from dagster_project.pipeline.run import PUBLISHED
from dagster_project.workbench.connection import write_lock


def prune_leftovers(settings: Settings, options: argparse.Namespace) -> int:
    """Remove old runs, logs, ledger entries and publications."""
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


def remove_warehouse(settings: Settings, options: argparse.Namespace) -> int:
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
