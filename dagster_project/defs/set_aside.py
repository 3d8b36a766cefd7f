"""Setting releases aside: rejects the releases that make a rule of a layer fail.

The ledger gets rule and rows as the reason, and the run starts again without them: in `make run` by
its own loop, in Dagster by run retries. A failure that no release has caused stops the publication.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import dagster as dg
import duckdb

from dagster_project.alerts.run_failure import SET_ASIDE
from dagster_project.base.errors import printable
from dagster_project.base.run_tags import MAX_RETRIES, RETRY_ON_ANY_FAILURE
from dagster_project.base.settings import Settings
from dagster_project.ingest.manual_decisions import ACCEPTED
from dagster_project.ingest.raw_rows import restore_superseded
from dagster_project.transform.blame import BlamedRelease, FailedRule, blame, sources_behind
from dagster_project.transform.build_fingerprint import build_fingerprint, fingerprint_of
from dagster_project.workbench.builds import current_candidate
from dagster_project.workbench.gate_results import STRUCTURE
from dagster_project.workbench.publications import last_publication
from dagster_project.workbench.releases import accepted_files, set_release_status

Release = tuple[str, date]


@dataclass(frozen=True)
class Verdict:
    """The consequences of failed rules: releases to reject, with reasons; rules that only warn."""

    rejected: Mapping[Release, str] = field(default_factory=dict)
    excused: Sequence[FailedRule] = field(default_factory=list)


@dataclass(frozen=True)
class LedgerState:
    """The current releases, those accepted by a person, and the published ones.

    unchanged: the published ones were built by this version of the project. warnings: tables and
    rules that failed in the publication because of releases that a person had accepted.
    """

    accepted: Mapping[Release, datetime]
    by_hand: frozenset[Release]
    published: Mapping[Release, datetime]
    unchanged: bool
    warnings: frozenset[tuple[str, str]]

    def passed_before(self, release: Release) -> bool:
        """Whether exactly this load is published: it passed every gate at the time."""
        return self.published.get(release) == self.accepted[release]

    def new_releases_of(self, rule: FailedRule) -> list[Release]:
        """Return the unpublished releases that the rule's table is made from."""
        sources = sources_behind(rule.node)
        return [
            release
            for release in self.accepted
            if release[0] in sources and not self.passed_before(release)
        ]


def judge(
    con: duckdb.DuckDBPyConnection, settings: Settings, failed: Sequence[FailedRule]
) -> Verdict:
    """Return the consequences of failed rules. con: to the workbench, which is not changed.

    A release accepted by a person is not rejected as implausible: the rule warns. One that this
    version of the project has published is not at fault: a new release is, if there is exactly one.
    """
    candidate = current_candidate(con)
    if not failed or candidate is None or candidate[1] != build_fingerprint(con):
        return Verdict()  # the build was of other releases than the current ones
    state = ledger_state(con, settings)
    reasons: dict[Release, list[str]] = {}
    excused: list[FailedRule] = []
    for rule in failed:
        found = blame(con, settings, rule)
        unexplained = found.unexplained
        blamed = {
            (each.source, each.release): each
            for each in found.releases
            if (each.source, each.release) in state.accepted
        }
        if not found.releases:  # then it is the new release, if there is exactly one
            if rule.kind != STRUCTURE and (rule.table, rule.rule) in state.warnings:
                excused.append(rule)
                continue
            blamed, unexplained = _only_new_release(state, rule), 0
        if rule.kind != STRUCTURE:
            implausible = [release for release in blamed if release not in state.by_hand]
            if blamed and not implausible and not unexplained:
                excused.append(rule)
            blamed = {release: blamed[release] for release in implausible}
        for release, each in _at_fault(state, rule, blamed).items():
            reasons.setdefault(release, []).append(_reason(rule, each))
    if _is_project_at_fault(state, reasons):
        reasons = {}
    return Verdict({release: "\n".join(lines) for release, lines in reasons.items()}, excused)


def ledger_state(con: duckdb.DuckDBPyConnection, settings: Settings) -> LedgerState:
    """Return the state of the ledger. con: to the workbench."""
    files = accepted_files(con)
    by_hand = con.execute(
        "select distinct source, release_date from audit.releases"
        " where status = 'accepted' and starts_with(reason, ?)",
        [ACCEPTED],
    ).fetchall()
    published, last, warnings = [], None, []
    if settings.warehouse.exists():
        with duckdb.connect(settings.warehouse, read_only=True) as live:
            published, last = accepted_files(live), last_publication(live)
            warnings = live.execute(
                "select table_name, details from audit.gate_results"
                " where failed > 0 and release_date is null"
            ).fetchall()
    return LedgerState(
        {(source, day): loaded_at for source, day, *_, loaded_at in files},
        frozenset((source, day) for source, day in by_hand),
        {(source, day): loaded_at for source, day, *_, loaded_at in published},
        last is not None and last[1] == fingerprint_of(published),
        frozenset(
            (table, detail["expectation"])
            for table, details in warnings
            for detail in json.loads(details)
            if not detail["success"]
        ),
    )


def _at_fault(
    state: LedgerState, rule: FailedRule, blamed: Mapping[Release, BlamedRelease]
) -> Mapping[Release, BlamedRelease]:
    """Return the releases at fault for failing rows of these."""
    if not (state.unchanged and blamed):
        return blamed
    at_fault = {
        release: each for release, each in blamed.items() if not state.passed_before(release)
    }
    if at_fault:
        return at_fault
    # Their rows passed when they were published: a new release has changed the data around them.
    new = state.new_releases_of(rule)
    if len(new) != 1:
        return {}
    (source, day), first = next(iter(blamed.items()))
    found = f"with it, rows of {len(blamed)} other releases fail: {source} {day}, {first.found}"
    return {new[0]: BlamedRelease(*new[0], found)}


def _only_new_release(state: LedgerState, rule: FailedRule) -> dict[Release, BlamedRelease]:
    """Return the new release if there is exactly one: without it the rule held."""
    new = state.new_releases_of(rule) if state.unchanged else []
    if len(new) != 1:
        return {}
    return {new[0]: BlamedRelease(*new[0], f"with it, the rule fails: {rule.found}")}


def _is_project_at_fault(state: LedgerState, reasons: Mapping[Release, object]) -> bool:
    """Whether a change of the project would reject published releases of most sources."""
    sources = {source for source, _ in state.published}
    hit = {release[0] for release in reasons if state.passed_before(release)}
    return len(hit) > 1 and 2 * len(hit) > len(sources)


def _reason(rule: FailedRule, each: BlamedRelease) -> str:
    return printable(
        " ".join(
            f"{rule.layer.name}: {rule.table} | expected: {rule.rule} | found: {each.found}"
            f" | what to do: {rule.fix}".split()
        )
    )


def record_rejections(con: duckdb.DuckDBPyConnection, verdict: Verdict) -> None:
    """Reject the releases in the ledger, within the caller's transaction.

    An earlier load of the same release becomes current again, if its rows still exist.
    """
    accepted = {(source, day): time for source, day, *_, time in accepted_files(con)}
    for (source, day), reason in verdict.rejected.items():
        set_release_status(con, source, day, accepted[source, day], "rejected", reason)
        restore_superseded(con, source, day)


def retry_without(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    con: duckdb.DuckDBPyConnection,
    verdict: Verdict,
) -> None:
    """Have Dagster retry the run, which is about to fail, if it has rejected releases. Run retries
    start over, once each: a retry requests the next one if needed. None if nothing else is new, or
    in a run of `make run`, which has its own loop.
    """
    if not verdict.rejected:
        return
    run, instance = context.run, context.instance
    names = ", ".join(f"{source}/{day}" for source, day in verdict.rejected)
    context.log.warning(f"set aside: {names}")
    tags = {SET_ASIDE: f"{run.run_id} {names}"}
    published = last_publication(con)
    is_new = published is None or published[1] != build_fingerprint(con)
    if is_new and run.tags.get(MAX_RETRIES) != "0":
        group = instance.get_run_group(run.run_id)
        tags[RETRY_ON_ANY_FAILURE] = "true"
        tags[MAX_RETRIES] = str(len(list(group[1])) if group else 1)
    instance.add_run_tags(run.run_id, tags)
