from datetime import date

import pytest

from dagster_project.base.errors import BadInput
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.manual_decisions import accept, forget, reject
from dagster_project.ingest.pending_releases import find_release, make_plan
from dagster_project.sources import all_sources
from dagster_project.transform.build_fingerprint import build_fingerprint
from dagster_project.workbench.connection import open_workbench
from dagster_project.workbench.gate_results import GateResult, record_gate_results
from dagster_project.workbench.releases import file_entries, set_release_status
from tests.support import BARE, Warehouse

RELEASE = "worldbank_wdi/2016-03-01"


def _states(warehouse: Warehouse) -> list[tuple]:
    return warehouse.workbench(
        "select status, reason from audit.releases"
        " where source = 'worldbank_wdi' and release_date = '2016-03-01'"
    )


def _land_and_load(warehouse: Warehouse, status_after: str) -> None:
    warehouse.land("worldbank_wdi", "2016-03-01", "made_up.csv", BARE.read_bytes())
    source = all_sources()["worldbank_wdi"]
    with open_workbench(warehouse.settings) as con:
        load_release(con, source, find_release(source, warehouse.landing, "2016-03-01"))
        con.execute("update audit.releases set status = ?", [status_after])


def test_a_current_release_is_rejected_by_hand_and_the_ledger_keeps_the_reason(
    folders: Warehouse,
) -> None:
    _land_and_load(folders, "accepted")
    with open_workbench(folders.settings) as con:
        reject(con, RELEASE, "withdrawn by the publisher")
        plan = make_plan(con, folders.landing)
    assert _states(folders) == [("rejected", "rejected by hand: withdrawn by the publisher")]
    assert [release.label for release, _ in plan.still_rejected] == ["worldbank_wdi 2016-03-01"]


def test_a_release_that_its_gate_rejected_is_accepted_by_hand(folders: Warehouse) -> None:
    _land_and_load(folders, "rejected")
    with open_workbench(folders.settings) as con:
        accept(con, RELEASE, "the publisher confirms the figure")
    assert _states(folders) == [("accepted", "accepted by hand: the publisher confirms the figure")]


def _found(warehouse: Warehouse, table: str, **kinds: bool) -> None:
    """Enter the gate's results on the release: whether the rules of each kind hold."""
    details = [
        {"expectation": f"a rule of {kind}", "kind": kind, "success": held, "observed": "2 rows"}
        for kind, held in kinds.items()
    ]
    failed = list(kinds.values()).count(False)
    result = GateResult("raw", table, date(2016, 3, 1), not failed, len(details), failed, details)
    with open_workbench(warehouse.settings) as con:
        record_gate_results(con, [result], "made-up-run")


def test_a_structurally_broken_release_cannot_be_accepted(folders: Warehouse) -> None:
    _land_and_load(folders, "rejected")
    _found(folders, "raw.worldbank_wdi__observations", structure=False, plausibility=False)
    with (
        open_workbench(folders.settings) as con,
        pytest.raises(BadInput, match="failed rules of structure") as caught,
    ):
        accept(con, RELEASE, "I like it")
    assert "a rule of structure (raw.worldbank_wdi__observations, 2 rows)" in caught.value.found
    assert "a rule of plausibility" not in caught.value.found
    assert f"make run RELOAD={RELEASE}" in caught.value.fix
    assert [state for state, _ in _states(folders)] == ["rejected"]
    assert folders.workbench("select decision from audit.decisions") == []


def test_a_merely_implausible_release_can_be_accepted(folders: Warehouse) -> None:
    _land_and_load(folders, "rejected")
    table = "raw.worldbank_wdi__observations"
    _found(folders, table, structure=False)  # before its file was corrected and loaded again
    _found(folders, table, structure=True, plausibility=False)
    with open_workbench(folders.settings) as con:
        accept(con, RELEASE, "the publisher confirms it")
    assert [state for state, _ in _states(folders)] == ["accepted"]


def test_a_release_without_rows_cannot_be_accepted(folders: Warehouse) -> None:
    folders.land("worldbank_wdi", "2016-03-01", "page.csv", "<html>moved</html>")
    source = all_sources()["worldbank_wdi"]
    with open_workbench(folders.settings) as con:
        with pytest.raises(BadInput):
            load_release(con, source, find_release(source, folders.landing, "2016-03-01"))
        with pytest.raises(BadInput, match="no rows"):
            accept(con, RELEASE, "because")
    assert [state for state, _ in _states(folders)] == ["rejected"]


def test_a_forgotten_release_leaves_no_row_and_is_new_to_the_next_run(folders: Warehouse) -> None:
    _land_and_load(folders, "accepted")
    with open_workbench(folders.settings) as con:
        forget(con, RELEASE, "sent by mistake")
        plan = make_plan(con, folders.landing)
        left = con.execute("select count(*) from raw.worldbank_wdi__observations").fetchall()
    assert left == [(0,)]
    assert "worldbank_wdi 2016-03-01" in [release.label for release in plan.new]


@pytest.mark.parametrize(
    ("release", "message"),
    [
        ("worldbank_wdi/1999-01-01", "no such release"),
        ("worldbank_wdi/soon", "not a release"),
        ("unknown/2016-03-01", "not a release"),
    ],
)
def test_a_decision_on_a_missing_release_says_so(
    folders: Warehouse, release: str, message: str
) -> None:
    with open_workbench(folders.settings) as con, pytest.raises(BadInput, match=message):
        reject(con, release, "because")


def test_accepting_a_rejected_reload_supersedes_the_current_load(folders: Warehouse) -> None:
    _land_and_load(folders, "accepted")
    folders.land("worldbank_wdi", "2016-03-01", "made_up.csv", BARE.read_bytes())
    source = all_sources()["worldbank_wdi"]
    release = find_release(source, folders.landing, "2016-03-01")
    with open_workbench(folders.settings) as con:
        before = con.execute("select count(*) from raw.worldbank_wdi__observations").fetchall()
        load_release(con, source, release, reload=True)
        con.execute("update audit.releases set status = 'rejected' where status = 'loaded'")
        accept(con, RELEASE, "the publisher confirms it")
        after = con.execute("select count(*) from raw.worldbank_wdi__observations").fetchall()
    assert sorted(state for state, _ in _states(folders)) == ["accepted", "superseded"]
    assert after == before


def test_the_last_of_two_rejected_loads_is_accepted(folders: Warehouse) -> None:
    _land_and_load(folders, "accepted")
    (folders.landing / "worldbank_wdi" / "2016-03-01" / "made_up.csv").unlink()
    folders.land("worldbank_wdi", "2016-03-01", "made_up_z.csv", BARE.read_bytes())
    source = all_sources()["worldbank_wdi"]
    with open_workbench(folders.settings) as con:
        release = find_release(source, folders.landing, "2016-03-01")
        load_release(con, source, release, reload=True)
        con.execute("update audit.releases set status = 'rejected' where status = 'loaded'")
        reject(con, RELEASE, "the file was another's")
        accept(con, RELEASE, "the publisher confirms it")
        entries = file_entries(con, source.name, date(2016, 3, 1))
    assert [entry.file_name for entry in entries["accepted"]] == ["made_up_z.csv"]


def test_a_release_whose_later_files_could_not_be_read_cannot_be_accepted(
    folders: Warehouse,
) -> None:
    _land_and_load(folders, "rejected")
    folders.land("worldbank_wdi", "2016-03-01", "made_up.csv", "<html>moved</html>")
    source = all_sources()["worldbank_wdi"]
    with open_workbench(folders.settings) as con:
        with pytest.raises(BadInput, match="unknown layout"):
            load_release(con, source, find_release(source, folders.landing, "2016-03-01"))
        with pytest.raises(BadInput, match="no rows"):
            accept(con, RELEASE, "because")


def test_a_reload_of_the_same_bytes_makes_another_build(folders: Warehouse) -> None:
    _land_and_load(folders, "accepted")
    source = all_sources()["worldbank_wdi"]
    with open_workbench(folders.settings) as con:
        before = build_fingerprint(con)
        loaded = load_release(
            con, source, find_release(source, folders.landing, "2016-03-01"), reload=True
        )
        set_release_status(
            con, source.name, date(2016, 3, 1), loaded.files[0].loaded_at, "accepted", None
        )
        assert build_fingerprint(con) != before


def test_a_mistyped_reload_is_a_problem_of_the_plan(folders: Warehouse) -> None:
    folders.landing.mkdir()
    with open_workbench(folders.settings) as con:
        plan = make_plan(con, folders.landing, frozenset({"worldbank/2016-03-01"}))
    assert [problem.where for problem in plan.problems] == ["worldbank/2016-03-01"]
