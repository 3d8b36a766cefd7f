"""After a run that native code has ended: finds the release that makes it do so, by trials.

DuckDB runs in the run's own process, and a fault in it cannot be caught. The next run finds the
record that the dead one has left (`base/native_crash.py`), and repeats the work on a copy, in a
child: first as it was, then without the new releases, then with some of them. One with which the
child dies, and without which it does not, is set aside. If the work ends well, none is blamed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import cast

import dagster as dg

from dagster_project.alerts.delivery import send_alert
from dagster_project.alerts.message import Alert
from dagster_project.base.errors import BadInput
from dagster_project.base.native_crash import Doing, recorded_crash
from dagster_project.base.settings import Settings
from dagster_project.defs.resources import Workbench, report_bad_input
from dagster_project.defs.set_aside import Verdict, ledger_state, record_rejections
from dagster_project.defs.trial import Release, crash_of_trial
from dagster_project.ingest.load_release import DEADLY, reject_release
from dagster_project.ingest.pending_releases import find_release
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench, transaction

# Whether a work dies without these releases, and how.
_Dies = Callable[[frozenset[Release]], str | None]


@dataclass(frozen=True)
class Inquest:
    """What came of the search: releases that were set aside, with reasons; a warning otherwise."""

    rejected: dict[Release, str] = field(default_factory=dict)
    warning: str = ""

    @property
    def alerts(self) -> list[Alert]:
        """An alert for each release that was set aside."""
        return [
            Alert(f"REJECTED {source} {day}", why, source=source, release=str(day))
            for (source, day), why in self.rejected.items()
        ]


def hold_inquest(settings: Settings) -> Inquest:
    """Set the releases aside with which native code has ended the last run, if it did.

    The caller holds the write lock. Takes a build for each trial, and the space of a copy of the
    workbench. Raises BadInput if the work also dies without the new releases.
    """
    crash = recorded_crash(settings.crash_record)
    if crash is None:
        return Inquest()
    doing, how = crash
    try:
        rejected = _blame(settings, doing)
    except BadInput:
        settings.crash_record.unlink()
        raise
    settings.crash_record.unlink()
    if rejected:
        return Inquest(rejected)
    return Inquest(
        warning=f"native code ended the last run ({how}, during {doing.what}), and not when the"
        " work was repeated: no release is at fault, and this run goes on"
    )


def _blame(settings: Settings, doing: Doing) -> dict[Release, str]:
    if doing.source:
        return _blame_loaded(settings, doing)
    with open_workbench(settings) as con:
        state = ledger_state(con, settings)
        con.execute("checkpoint")  # only the file is copied, not its log
    new = sorted(release for release in state.accepted if not state.passed_before(release))
    deadly = find_deadly(new, cache(lambda without: crash_of_trial(settings, doing, without)))
    rejected = {release: _reason(release, doing, how) for release, how in deadly.items()}
    with open_workbench(settings) as con, transaction(con):
        record_rejections(con, Verdict(rejected))
    return rejected


def _blame_loaded(settings: Settings, doing: Doing) -> dict[Release, str]:
    """Reject a release with which its own load or gate ends the process."""
    source, day = all_sources()[doing.source], date.fromisoformat(doing.release)
    with open_workbench(settings) as con:
        con.execute("checkpoint")
    how = crash_of_trial(settings, doing)
    if how is None:
        return {}
    release = find_release(source, settings.landing_dir, doing.release, settings.bundled_dir)
    reason = _reason((source.name, day), doing, how)
    with open_workbench(settings) as con:
        reject_release(con, source, release, reason)
    return {(source.name, day): reason}


def find_deadly(new: Sequence[Release], dies: _Dies) -> dict[Release, str]:
    """Return the releases without which the work lives on, with how it died of each.

    By bisection: the logarithm of their number in trials for each. Empty if the work does not die
    of all. Raises BadInput if it dies of none.
    """
    deadly: dict[Release, str] = {}
    while how := dies(frozenset(deadly)):
        left = [release for release in new if release not in deadly]
        if fault := dies(frozenset(new)):
            raise _no_release_at_fault(fault)
        lives, died = 0, len(left)  # with so many of them
        while died - lives > 1:
            half = (lives + died) // 2
            if found := dies(frozenset([*deadly, *left[half:]])):
                died, how = half, found
            else:
                lives = half
        deadly[left[died - 1]] = how
    return deadly


def _reason(release: Release, doing: Doing, how: str) -> str:
    source, day = release
    return str(
        BadInput(
            DEADLY,
            where=f"{source} {day}",
            expected=f"rows with which the {doing.what} comes to an end",
            found=f"{how}, also when repeated; without this release it does come to an end",
            fix="fetch the release again; if the publisher serves it so, report the fault to the"
            f" makers of DuckDB. To try it again: `make run RELOAD={source}/{day}`",
        )
    )


def _no_release_at_fault(how: str) -> BadInput:
    return BadInput(
        "native code ends the process, whatever is loaded",
        where="the build of the releases that are published already",
        expected="a build that comes to an end",
        found=how,
        fix="undo the last change of the project, its packages or the machine; if there was none,"
        " report the fault to the makers of DuckDB",
    )


class CautiousWorkbench(Workbench):
    """The workbench of a run that begins with the inquest into the last one, if that is due."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Workbench]:
        """Hold the write lock, and set deadly releases aside first."""
        with super().yield_for_execution(context):
            settings = cast(Settings, self.settings)
            with report_bad_input():
                found = hold_inquest(settings)
            if context.log:
                for alert in found.alerts:
                    context.log.error(f"{alert.what}: {alert.why}")
                if found.warning:
                    context.log.warning(found.warning)
            if found.alerts:
                send_alert(settings, found.alerts)
            yield self
