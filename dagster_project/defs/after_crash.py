"""After a run that native code has ended: finds the release that makes it do so, by trials.

DuckDB runs in the run's own process, and a fault in it cannot be caught. The next run finds the
record that the dead one has left (`base/native_crash.py`), and repeats the work on a copy, in a
child: first as it was, then without the new releases, then with some of them. One with which the
child crashes, and without which it does not, is set aside. If the work ends well, none is blamed.
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
from dagster_project.ingest.load_release import CRASHED, reject_release
from dagster_project.ingest.pending_releases import find_release
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench, transaction

# How the work crashes without these releases; None if it does not.
_Crash = Callable[[frozenset[Release]], str | None]


@dataclass(frozen=True)
class AfterCrash:
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


def reject_after_crash(settings: Settings) -> AfterCrash:
    """Set the releases aside with which native code has ended the last run, if it did.

    The caller holds the write lock. Takes a build for each trial, and the space of a copy of the
    workbench. Raises BadInput if the work also crashes without the new releases.
    """
    crash = recorded_crash(settings.crash_record)
    if crash is None:
        return AfterCrash()
    doing, how = crash
    try:
        rejected = _blame(settings, doing)
    except BadInput:
        settings.crash_record.unlink()
        raise
    settings.crash_record.unlink()
    if rejected:
        return AfterCrash(rejected)
    return AfterCrash(
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
    crashing = find_crashing(new, cache(lambda without: crash_of_trial(settings, doing, without)))
    rejected = {release: _reason(release, doing, how) for release, how in crashing.items()}
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


def find_crashing(new: Sequence[Release], crash: _Crash) -> dict[Release, str]:
    """Return the releases that make the work crash, with how it crashed on each.

    By bisection: the logarithm of their number in trials for each. Empty if the work does not crash
    with all. Raises BadInput if it crashes with none.
    """
    crashing: dict[Release, str] = {}
    while how := crash(frozenset(crashing)):
        left = [release for release in new if release not in crashing]
        if fault := crash(frozenset(new)):
            raise _no_release_at_fault(fault)
        ends, crashes = 0, len(left)  # with so many of them
        while crashes - ends > 1:
            half = (ends + crashes) // 2
            if found := crash(frozenset([*crashing, *left[half:]])):
                crashes, how = half, found
            else:
                ends = half
        crashing[left[crashes - 1]] = how
    return crashing


def _reason(release: Release, doing: Doing, how: str) -> str:
    source, day = release
    return str(
        BadInput(
            CRASHED,
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


class WorkbenchAfterCrash(Workbench):
    """The workbench of a run that first searches the cause, if the last run has crashed."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Workbench]:
        """Hold the write lock, and set crashing releases aside first."""
        with super().yield_for_execution(context):
            settings = cast(Settings, self.settings)
            with report_bad_input():
                found = reject_after_crash(settings)
            if context.log:
                for alert in found.alerts:
                    context.log.error(f"{alert.what}: {alert.why}")
                if found.warning:
                    context.log.warning(found.warning)
            if found.alerts:
                send_alert(settings, found.alerts)
            yield self
