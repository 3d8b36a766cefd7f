"""The main job, from landing to publication, on made-up files."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg
import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.defs import gate_checks as checks
from dagster_project.gates.run_suites import run_suites
from dagster_project.gates.suite_files import EXPECTATIONS
from dagster_project.ingest import load_release as load
from dagster_project.ingest import pending_releases as plan
from dagster_project.ingest.load_release import load_release
from dagster_project.ingest.pending_releases import find_release
from dagster_project.pipeline.run import (
    FAILED,
    PUBLISHED,
    PUBLISHED_WITH_REJECTIONS,
    publish_again,
    run,
)
from dagster_project.sources import all_sources
from dagster_project.workbench.connection import open_workbench
from tests.support import (
    BARE,
    BULK,
    TEXT,
    Outcome,
    Scenario,
    Warehouse,
    built_once,
    execute,
    writable_copy,
)

BUILD = [
    f"{step}_{layer}"
    for layer in ("staging", "intermediate", "core", "marts")
    for step in ("build", "gate")
]


def text_of(release: str, *, reporter: str = "KOR", old: str = "", new: str = "") -> str:
    """The made-up text, as one of another day and about another economy."""
    content = TEXT.read_text().replace("2019-06-30", release).replace(",KOR,", f",{reporter},")
    content = content.replace("KR-11", {"KOR": "KR-11", "FRA": "FR-IDF", "ITA": "IT-25"}[reporter])
    assert old in content
    return content.replace(old, new, 1) if old else content


@pytest.fixture(scope="session")
def mixed(shared: Path, template: Scenario) -> Scenario:
    """Five bad releases and a good one beside the template's; a client reads during the run."""

    def build(warehouse: Warehouse) -> Outcome:
        bulk, bare = BULK.read_text("utf-8"), BARE.read_text("utf-8")
        twice = TEXT.read_text().splitlines()[4] + "\n"
        warehouse.land(
            "worldbank_wdi", "2017-01-01", BULK.name, bulk.replace("Country Code", "Economy Code")
        )
        warehouse.land("worldbank_wdi", "2017-02-01", BARE.name, bare.replace("31600000000", "n/a"))
        warehouse.land("worldbank_wdi", "2017-03-01", BARE.name, bare.replace("NAM", "CHN"))
        cut_short = "".join(bulk.splitlines(keepends=True)[:8])  # only China is left
        warehouse.land("worldbank_wdi", "2021-12-01", BULK.name, cut_short)
        doubled = (TEXT.read_text() + twice).replace("2019-06-30", "2020-01-31")
        warehouse.land("published_figures", "2020-01-31", TEXT.name, doubled)
        good = text_of("2020-02-29", reporter="FRA")
        warehouse.land("published_figures", "2020-02-29", TEXT.name, good)
        warehouse.land("made_up_source", "2020-02-29", "a.csv", "1")
        return run_beside_readers(warehouse)

    return built_once(shared / "mixed", build, template.warehouse)


def run_beside_readers(warehouse: Warehouse) -> Outcome:
    """Run the main job while two other processes have the published file open."""
    stop = warehouse.folder / "stop"
    readers = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.reader", mode, str(warehouse.settings.warehouse)),
                *(str(stop), str(warehouse.folder / f"{mode}.json")),
            ],
            cwd=PROJECT_ROOT,
        )
        for mode in ("watch", "hold")
    ]
    try:
        return warehouse.run()
    finally:
        stop.touch()
        for reader in readers:
            reader.wait(60)


def seen_by(scenario: Scenario, mode: str) -> dict[str, Any]:
    """The report of the other process."""
    return json.loads((scenario.warehouse.folder / f"{mode}.json").read_text())


@pytest.fixture(scope="session")
def impossible(shared: Path, template: Scenario) -> Scenario:
    """Two new texts, and a rule of marts whose failing rows name no release: either may be it."""

    def build(warehouse: Warehouse) -> Outcome:
        for day, reporter in (("2020-03-31", "ITA"), ("2020-04-30", "FRA")):
            good = text_of(day, reporter=reporter)
            warehouse.land("published_figures", day, TEXT.name, good)
        table = "mart_balance_by_partner"
        root = suites_with_an_impossible_one(warehouse.folder / "expectations", table)
        with patch.object(checks, "run_suites", partial(run_suites, root=root)):
            return warehouse.run()

    return built_once(shared / "impossible", build, template.warehouse)


@pytest.fixture(scope="session")
def taken_up(shared: Path, template: Scenario) -> Scenario:
    """A release whose gate never ran, and a new one whose file is only half copied."""

    def build(warehouse: Warehouse) -> Outcome:
        warehouse.change_ledger(
            "update audit.releases set status = 'loaded' where release_date = '2016-03-01'"
        )
        lines = text_of("2020-02-29", reporter="FRA").splitlines(keepends=True)
        warehouse.land("published_figures", "2020-02-29", TEXT.name, "".join(lines[:-1]))
        return warehouse.run()

    return built_once(shared / "taken_up", build, template.warehouse)


# A good run


def test_a_run_loads_gates_builds_and_publishes(template: Scenario) -> None:
    outcome = template.outcome
    assert outcome.code == PUBLISHED
    assert outcome.started("build") == [*BUILD, "publication"]
    assert "published_figures 2019-06-30: 16 of 16 records kept" in outcome.output
    assert "worldbank_wdi 2021-09-15: 21 of 27 records kept" in outcome.output
    publication = template.warehouse.published("select publication_id from audit.publication")
    assert f"published {publication[0][0]}" in outcome.output


def test_each_release_has_a_run_of_its_own_that_loads_then_gates(template: Scenario) -> None:
    steps = template.outcome.started("ingest_worldbank_wdi")
    assert steps == ["load_worldbank_wdi", "gate_worldbank_wdi"] * 2


def test_the_ledger_has_the_gate_on_every_table(template: Scenario) -> None:
    gates = template.warehouse.published(
        "select table_name, bool_and(success), max(expectations) from audit.gate_results group by 1"
    )
    suites = {f"{path.parent.name}.{path.stem}" for path in EXPECTATIONS.glob("*/*.json")}
    loaded = {f"raw.{table.name}" for source in all_sources().values() for table in source.tables}
    not_loaded = loaded - {table for table, *_ in gates}
    assert {table for table, *_ in gates} == suites - not_loaded
    assert all(success and expectations for _, success, expectations in gates)


def test_a_second_run_finds_nothing_new_and_leaves_the_file_as_it_is(
    warehouse: Warehouse,
) -> None:
    before = file_sha256(warehouse.settings.warehouse)
    outcome = warehouse.run()
    assert outcome.code == PUBLISHED
    assert "0 new releases" in outcome.output
    assert "nothing new: publication" in outcome.output
    assert outcome.steps == []
    assert file_sha256(warehouse.settings.warehouse) == before


def test_an_as_of_query_differs_by_date(template: Scenario) -> None:
    known = {
        day: template.warehouse.published(
            f"select release_date::varchar, receipts_usd_m::double, payments_usd_m::double"
            f" from royalty_flows_as_of(date '{day}')"
            " where reporter_code = 'USA' and period = '2013' and partner_code = 'WLD'"
        )
        for day in ("2016-02-29", "2016-12-31", "2021-12-31")
    }
    assert known["2016-02-29"] == []
    assert known["2016-12-31"] == [("2016-03-01", 127000.0, None)]
    assert known["2021-12-31"] == [("2021-09-15", 128035.0, 38900.0)]


def test_aggregates_are_never_ranked(template: Scenario) -> None:
    published = template.warehouse.published
    reporters = published("select distinct reporter_code from marts.mart_world_ranking order by 1")
    assert " ".join(code for (code,) in reporters) == (
        "CAN CHE CHN DEU FRA GBR GRC GRD JPN KOR NAM SWE TTO TWN USA XKX"
    )
    partners = published(
        "select partner_code, rank_by_payments from marts.mart_balance_by_partner"
        " where reporter_code = 'KOR' and period = '2018-S1' and payments_usd_m is not null"
        " order by 1"
    )
    # 2.5 and 1.5 of 6: the 2 that are open may be of one partner, above Japan.
    assert partners == [("DEU+JPN+USA", None), ("JPN", None), ("USA", 1), ("WLD", None)]


def test_namibia_is_not_taken_for_a_missing_value(template: Scenario) -> None:
    published = template.warehouse.published
    assert published("select iso2 from core.dim_reporter where reporter_code = 'NAM'") == [("NA",)]
    assert published(
        "select receipts_usd_m::double from core.fct_royalty_flows"
        " where reporter_code = 'NAM' and period = '2014'"
    ) == [(2.9,)]


def test_every_number_of_the_warehouse_points_at_its_cell(template: Scenario) -> None:
    (place,) = template.warehouse.published(
        "select file_name, row_number, column_name from core.fct_royalty_observations"
        " where reporter_code = 'JPN' and period = '2013' and flow = 'receipts'"
        " and release_date = '2021-09-15'"
    )
    assert place == (BULK.name, 14, "2013")


# Bad releases


REJECTIONS = {
    "worldbank_wdi 2017-01-01": [
        "unknown layout | where: made_up_API.csv",
        "row 5: 'Economy Code' instead of 'Country Code'",
    ],
    "worldbank_wdi 2017-02-01": [
        "expected: value is a number with a decimal point",
        "file 'made_up_receipts.csv', row 5, column '2013', value 'n/a'",
    ],
    "worldbank_wdi 2017-03-01": [
        "expected: one figure for each country, indicator and year",
        "file 'made_up_receipts.csv', row 2, column '2012', country_code 'CHN'",
        "find out which row the publisher means",
    ],
    "worldbank_wdi 2021-12-01": [
        "at least four fifths of the rows of the current one",
        "rows_found 8, release_before 2021-09-15, rows_before 48",
        "at least four fifths of the economies of the current one",
        "found: 5 rows, the first: coverage '1 of 6 economies: a download of one country',"
        " missing 'EUU'",
    ],
    "published_figures 2020-01-31": [
        "expected: figure_id is unique within the release",
        "file 'made_up_text.csv', row 5, figure_id 'made-up-04'",
    ],
}


@pytest.mark.parametrize(("release", "words"), REJECTIONS.items(), ids=REJECTIONS)
def test_a_bad_release_is_rejected_with_one_message_in_output_and_ledger(
    mixed: Scenario, release: str, words: list[str]
) -> None:
    source, day = release.split()
    ((status, reason),) = mixed.warehouse.published(
        "select status, reason from audit.releases"
        f" where source = '{source}' and release_date = '{day}'"
    )
    assert status == "rejected"
    assert all(word in reason for word in words)
    printed = reason.replace("\n", "\n    | ")
    assert mixed.outcome.output.count(f"REJECTED {release}: {printed}") == 1


def test_the_other_releases_are_published(mixed: Scenario) -> None:
    assert mixed.outcome.code == PUBLISHED_WITH_REJECTIONS
    assert "accepted published_figures 2020-02-29: 16 of 16" in mixed.outcome.output
    releases = mixed.warehouse.published(
        "select source, release_date::varchar from core.dim_release"
        " where source in ('worldbank_wdi', 'published_figures') order by all"
    )
    assert releases == [
        ("published_figures", "2002-08-31"),
        ("published_figures", "2019-06-30"),
        ("published_figures", "2020-02-29"),
        ("worldbank_wdi", "2016-03-01"),
        ("worldbank_wdi", "2021-09-15"),
    ]


def test_no_number_of_a_rejected_release_is_published(mixed: Scenario) -> None:
    assert (
        mixed.warehouse.published(
            "select source, release_date::varchar from audit.releases where status = 'rejected'"
            " intersect select source, release_date::varchar from core.fct_royalty_observations"
        )
        == []
    )
    assert mixed.warehouse.published(
        "select distinct release_date::varchar from core.fct_royalty_observations"
        " where source in ('worldbank_wdi', 'published_figures') order by 1"
    ) == [("2002-08-31",), ("2016-03-01",), ("2019-06-30",), ("2020-02-29",), ("2021-09-15",)]


def test_a_folder_without_a_source_is_named(mixed: Scenario) -> None:
    assert "no source module yet: made_up_source" in mixed.outcome.output


def test_rejected_releases_stay_rejected_without_another_load(
    mixed: Scenario, folders: Warehouse
) -> None:
    warehouse = mixed.warehouse.copy(folders.folder)
    before = file_sha256(warehouse.settings.warehouse)
    outcome = warehouse.run()
    assert outcome.code == PUBLISHED
    assert outcome.output.count("still rejected: ") == len(REJECTIONS)
    assert outcome.steps == []
    assert file_sha256(warehouse.settings.warehouse) == before


def test_changed_bytes_of_an_accepted_release_are_refused(warehouse: Warehouse) -> None:
    warehouse.land("worldbank_wdi", "2016-03-01", BARE.name, BARE.read_text().replace("9", "8"))
    outcome = warehouse.run()
    assert outcome.code == PUBLISHED_WITH_REJECTIONS
    assert "REFUSED the files of an accepted release have changed" in outcome.output
    assert "nothing new" in outcome.output


def test_a_file_that_was_half_copied_is_loaded_again_when_it_is_whole(
    taken_up: Scenario, folders: Warehouse
) -> None:
    assert "accepted published_figures 2020-02-29: 15 of 15" in taken_up.outcome.output
    warehouse = taken_up.warehouse.copy(folders.folder)
    warehouse.land(
        "published_figures", "2020-02-29", TEXT.name, text_of("2020-02-29", reporter="FRA")
    )
    outcome = warehouse.run()
    assert outcome.code == PUBLISHED
    assert "accepted published_figures 2020-02-29: 16 of 16" in outcome.output
    assert warehouse.published(
        "select status, rows_kept from audit.releases where release_date = '2020-02-29'"
        " order by loaded_at"
    ) == [("superseded", 15), ("accepted", 16)]


def test_a_release_that_is_still_being_written_is_left_for_the_next_run(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = warehouse.land(
        "published_figures", "2020-02-29", TEXT.name, text_of("2020-02-29", reporter="FRA")
    )
    monkeypatch.setenv("ROYALTY_SETTLE_SECONDS", "30")
    monkeypatch.setattr("time.sleep", lambda _: path.touch())
    outcome = warehouse.run()
    assert outcome.code == PUBLISHED_WITH_REJECTIONS
    assert "a release that is still being written" in outcome.output
    assert "nothing new" in outcome.output
    monkeypatch.undo()
    assert warehouse.workbench("from audit.releases where release_date = '2020-02-29'") == []


def test_a_reload_that_fails_its_gate_leaves_the_old_rows_current(warehouse: Warehouse) -> None:
    before = warehouse.workbench("from staging.stg_published_figures__figures order by all")
    warehouse.land(
        "published_figures", "2019-06-30", TEXT.name, TEXT.read_text().replace("KOR", "QQQ", 1)
    )
    outcome = warehouse.run("published_figures/2019-06-30")
    assert outcome.code == PUBLISHED_WITH_REJECTIONS
    assert "REJECTED published_figures 2019-06-30" in outcome.output
    assert "nothing new" in outcome.output
    assert warehouse.workbench("from staging.stg_published_figures__figures order by all") == before


def test_a_release_whose_gate_never_ran_is_loaded_again(taken_up: Scenario) -> None:
    outcome, warehouse = taken_up.outcome, taken_up.warehouse
    assert outcome.code == PUBLISHED
    assert "accepted worldbank_wdi 2016-03-01: 7 of 7" in outcome.output
    assert warehouse.workbench(
        "select status, count(*) from audit.releases where release_date = '2016-03-01' group by 1"
    ) == [("accepted", 1)]
    assert warehouse.workbench(
        "select count(*) from raw.worldbank_wdi__observations where _release = '2016-03-01'"
    ) == [(21,)]


# A client that reads during a run


def test_a_client_sees_no_error_and_only_whole_states(mixed: Scenario, template: Scenario) -> None:
    seen = seen_by(mixed, "watch")
    assert seen["errors"] == []
    assert seen["reads"] > 10
    state = (
        "select (select count(*) from core.fct_royalty_observations),"
        " (select count(*) from marts.mart_balance_by_partner),"
        " (select count(*) from royalty_flows_as_of(date '2100-01-01'))"
    )
    whole = [template.warehouse.published(state)[0], mixed.warehouse.published(state)[0]]
    assert whole[0] != whole[1]
    assert [tuple(counts) for _, *counts in seen["states"]] == whole


def test_an_open_connection_keeps_its_data_and_a_new_one_sees_the_new(mixed: Scenario) -> None:
    first, last = seen_by(mixed, "watch")["states"]
    assert seen_by(mixed, "hold")["states"] == [first, first]
    newest = mixed.warehouse.published("select max(publication_id) from audit.publication")
    assert [(last[0],)] == newest


# A build that fails


def test_a_build_that_fails_its_last_gate_publishes_nothing(
    impossible: Scenario, template: Scenario
) -> None:
    outcome = impossible.outcome
    assert outcome.code == FAILED
    assert "accepted published_figures 2020-03-31" in outcome.output
    assert outcome.started("build") == BUILD
    published = impossible.warehouse.settings.warehouse
    assert file_sha256(published) == file_sha256(template.warehouse.settings.warehouse)


def test_the_reason_of_a_failed_build_is_printed_and_nothing_else(impossible: Scenario) -> None:
    _, _, reason = impossible.outcome.output.partition("FAILED, nothing was published: ")
    assert reason.startswith("marts.mart_balance_by_partner | expected: impossible | found: ")
    assert (
        impossible.warehouse.workbench("select 1 from audit.releases where status = 'rejected'")
        == []
    )
    assert "expectations evaluated" not in reason


def test_publication_alone_refuses_after_a_failed_build(
    impossible: Scenario, template: Scenario, folders: Warehouse
) -> None:
    warehouse = impossible.warehouse.copy(folders.folder)
    with dg.DagsterInstance.ephemeral() as instance:
        result = execute(dg.AssetSelection.assets("publication"), instance=instance)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "publication"
    user_failure = failure.step_failure_data.user_failure_data
    assert user_failure
    assert "the gate on marts.mart_balance_by_partner failed" in (user_failure.description or "")
    published = warehouse.settings.warehouse
    assert file_sha256(published) == file_sha256(template.warehouse.settings.warehouse)


def steps_that_started(selection: dg.AssetSelection, **options: object) -> list[str]:
    """Execute a part of the graph that fails, and return its started steps."""
    with dg.DagsterInstance.ephemeral() as instance:
        if "partition_key" in options:
            instance.add_dynamic_partitions("worldbank_wdi", [str(options["partition_key"])])
        result = execute(selection, instance=instance, **options)
        assert not result.success
        return [
            entry.dagster_event.step_key or ""
            for entry in instance.all_logs(result.run_id)
            if entry.dagster_event and entry.dagster_event.is_step_start
        ]


def suites_with_an_impossible_one(root: Path, table: str) -> Path:
    """The suites, with an impossible row count expected of one table."""
    writable_copy(EXPECTATIONS, root)
    (path,) = root.rglob(f"{table}.json")
    suite = json.loads(path.read_text("utf-8"))
    suite["expectations"][0] = {
        "description": "impossible",
        "type": "expect_table_row_count_to_equal",
        "kwargs": {"value": -1},
        "kind": "structure",
        "ground": "made up",
        "fix": "none is possible",
    }
    path.write_text(json.dumps(suite))
    return root


@pytest.mark.parametrize(
    ("layer", "following", "table"),
    [
        ("staging", "intermediate", "stg_iso_3166__countries"),
        ("intermediate", "core", "int_observations"),
        ("core", "marts", "dim_period"),
    ],
)
def test_a_failed_gate_stops_the_next_layer(
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    layer: str,
    following: str,
    table: str,
) -> None:
    warehouse.change_ledger("update audit.gate_results set made_from = null")  # nothing is carried
    root = suites_with_an_impossible_one(warehouse.folder / "expectations", table)
    monkeypatch.setattr(checks, "run_suites", partial(run_suites, root=root))
    groups = ["seeds", layer] if layer == "staging" else [layer]
    before = file_sha256(warehouse.settings.warehouse)
    started = steps_that_started(dg.AssetSelection.groups(*groups, following))
    assert started == [f"build_{layer}", f"gate_{layer}"]
    assert file_sha256(warehouse.settings.warehouse) == before


def test_a_failed_gate_on_a_release_stops_the_build_in_the_same_run(
    warehouse: Warehouse,
) -> None:
    warehouse.land("worldbank_wdi", "2017-03-01", BARE.name, BARE.read_text().replace("NAM", "CHN"))
    source = all_sources()["worldbank_wdi"]
    raw = [dg.AssetKey(["raw", table.name]) for table in source.tables]
    staging = [
        dg.AssetKey(["staging", f"stg_worldbank_wdi__{name}"])
        for name in ("observations", "countries", "indicators")
    ]
    started = steps_that_started(
        dg.AssetSelection.assets(*raw, *staging), partition_key="2017-03-01"
    )
    assert started == ["load_worldbank_wdi", "gate_worldbank_wdi"]
    assert warehouse.workbench(
        "select count(*) from staging.stg_worldbank_wdi__observations"
        " where release_date = '2017-03-01'"
    ) == [(0,)]


def test_a_run_refuses_while_another_process_writes(warehouse: Warehouse) -> None:
    lock = warehouse.settings.warehouse_dir / ".write.lock"
    script = (
        "import sys; from filelock import FileLock\n"
        "with FileLock(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ},
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BadInput, match="another run is writing"):
            warehouse.run()
        other.communicate()
    assert warehouse.run().code == PUBLISHED


@pytest.mark.parametrize("rejected_before", [False, True])
def test_a_machine_failure_is_not_taken_for_an_earlier_rejection(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch, rejected_before: bool
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    source = all_sources()["published_figures"]
    monkeypatch.setattr(plan, "all_sources", lambda: {source.name: source})
    path = folders.land("published_figures", "2019-06-30", TEXT.name, TEXT.read_text())
    if rejected_before:
        with open_workbench(folders.settings) as con:
            load_release(con, source, find_release(source, folders.landing, "2019-06-30"))
            con.execute("update audit.releases set status = 'rejected', reason = 'made up'")
        path.write_text(TEXT.read_text().replace("4.0", "4.1"))  # the corrected file
    monkeypatch.setattr("dagster_project.ingest.load_release._load_file", full)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(BadInput, match="the disk is full"),
    ):
        run(folders.settings, (), instance)


def test_a_release_that_takes_all_memory_holds_back_no_other(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = load._load_file

    def out_of_memory(con: Any, source: Any, release: Any, *rest: Any) -> Any:
        if str(release.date) == "2019-07-31":
            raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate (made up)")
        return insert(con, source, release, *rest)

    monkeypatch.setattr(load, "_load_file", out_of_memory)
    for day in ("2019-07-31", "2019-08-31"):
        warehouse.land("published_figures", day, TEXT.name, text_of(day))
    made = warehouse.run()
    assert made.code == PUBLISHED_WITH_REJECTIONS
    (line,) = [line for line in made.output.splitlines() if "not enough memory" in line]
    assert "FAILED published_figures 2019-07-31" in line
    assert "ROYALTY_DUCKDB_MEMORY_LIMIT" in line
    days = warehouse.workbench(
        "select release_date::text from audit.releases where source = 'published_figures'"
        " and release_date > '2019-07-01' and release_date < '2020-01-01' and status = 'accepted'"
    )
    assert days == [("2019-08-31",)]


def test_publishing_again_builds_everything_although_a_candidate_is_left(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Any]] = []

    def execute(_: object, __: object, job: str, *___: object, run_config: Any) -> None:
        asked.append((job, run_config))
        raise InterruptedError

    monkeypatch.setattr("dagster_project.pipeline.run._only_publish_remains", lambda _: True)
    monkeypatch.setattr("dagster_project.pipeline.dagster_runs.Dagster.execute", execute)
    with pytest.raises(InterruptedError):
        publish_again(folders.settings)
    ((job, run_config),) = asked
    assert job == "build"
    assert run_config["ops"]["build_staging"] == {"config": {"full_refresh": True}}
