"""One bad release does not hold back others: a fault per layer, in one run with a good one."""

import json
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import duckdb
import pytest

from dagster_project.alerts.run_failure import SET_ASIDE, set_aside_by
from dagster_project.defs.set_aside import Verdict, judge
from dagster_project.gates import release_gate as admission
from dagster_project.gates.run_suites import run_suites
from dagster_project.gates.suite_files import EXPECTATIONS
from dagster_project.ingest.manual_decisions import accept
from dagster_project.pipeline.run import PUBLISHED, PUBLISHED_WITH_REJECTIONS
from dagster_project.transform.blame import FailedRule, blame
from dagster_project.transform.build_fingerprint import build_fingerprint, project_fingerprint
from dagster_project.transform.layers import LAYERS
from dagster_project.workbench.connection import open_workbench
from tests.pipeline.test_run import text_of
from tests.support import TEXT, Outcome, Scenario, Warehouse, built_once, writable_copy

STAGING, INTERMEDIATE, CORE, MARTS = LAYERS
SOURCE = "published_figures"
FIGURES = "stg_published_figures__figures"
GOOD = "2020-02-29"

# Releases with one fault each. The raw suite is made to let them through, as real suites would let
# through an unforeseen case. By release: what is changed in the text, and into what.
FAULTS = {
    # a dbt data test of staging: the same figure twice
    "2020-03-01": ("made-up-05", "made-up-04"),
    # a suite of staging: a rounding that is larger than the figure
    "2020-03-02": ("level,4.0,USD,9,0.1", "level,0.00001,USD,9,0.1"),
    # a model of intermediate that cannot be built: more digits than the column has
    "2020-03-03": ("level,700,JPY,9,1", "level,10000000000000,JPY,12,1"),
    # a suite of intermediate: the remainder is negative
    "2020-03-04": ("growth_pct,25.0", "growth_pct,-101.0"),
    # a suite of core, whose rows name a source and no release
    "2020-03-05": ("payments,2018-S1,level,2.5", "payments,2018-S1,level,600.0"),
    # a suite of marts: receipts from one partner exceed those from the world
    "2020-03-06": ("payments,2018-S1,level,2.5", "receipts,2018-S1,level,9.0"),
}
REASONS = {
    "2020-03-01": [
        f"staging: staging.{FIGURES} | expected: dbt data test"
        f" unique_combination_of_columns_{FIGURES}",
        "found: 1 row, the first: ",
        "figure_id 'made-up-04', rows_found 2",
    ],
    "2020-03-02": [f"staging: staging.{FIGURES} | expected: ", "figure_id 'made-up-01'"],
    "2020-03-03": [
        "intermediate: intermediate.int_published_figures__figures | expected: the model can be"
        " built | found: ",
        " Error: ",
    ],
    "2020-03-04": [
        "intermediate: intermediate.int_published_figures__figures | expected: a growth rate lies",
        "found: 1 row, the first: file_name 'made_up_text.csv', row_number 13, figure_id",
    ],
    "2020-03-05": ["core: core.fct_royalty_flows | expected: ", "payments_usd_m 600000.0"],
    "2020-03-06": [
        "marts: marts.mart_balance_by_partner | expected: a part is not larger",
        "reporter_code 'ITA'",
    ],
}


def permissive(root: Path) -> Path:
    """The suites; the one on raw texts has only one rule."""
    writable_copy(EXPECTATIONS, root)
    path = root / "raw" / "published_figures__figures.json"
    suite = json.loads(path.read_text("utf-8"))
    only = {"rule": "filled", "with": {"column": "figure_id"}, "ground": "made up"}
    path.write_text(json.dumps(suite | {"expectations": [only]}))
    path.with_suffix(".sql").unlink()
    return root


@pytest.fixture(scope="session")
def layered(shared: Path, template: Scenario) -> Scenario:
    """A good release, and one with a fault at each layer."""

    def build(warehouse: Warehouse) -> Outcome:
        warehouse.land(SOURCE, GOOD, TEXT.name, text_of(GOOD, reporter="FRA"))
        for day, (old, new) in FAULTS.items():
            reporter = "ITA" if day == "2020-03-06" else "FRA"
            content = text_of(day, reporter=reporter, old=old, new=new)
            warehouse.land(SOURCE, day, TEXT.name, content)
        root = permissive(warehouse.folder / "expectations")
        with patch.object(admission, "run_suites", partial(run_suites, root=root)):
            return warehouse.run()

    return built_once(shared / "layered", build, template.warehouse)


@pytest.fixture(scope="session")
def decided(shared: Path, layered: Scenario) -> Scenario:
    """One of those is accepted by hand, and the good one is loaded again with another id in it."""

    def build(warehouse: Warehouse) -> Outcome:
        with open_workbench(warehouse.settings) as con:
            accept(con, f"{SOURCE}/2020-03-06", "the publisher confirms it")
        content = text_of(GOOD, reporter="FRA", old="made-up-05", new="made-up-5")
        warehouse.land(SOURCE, GOOD, TEXT.name, content)
        return warehouse.run(f"{SOURCE}/{GOOD}")

    return built_once(shared / "decided", build, layered.warehouse)


def test_the_others_are_published_in_the_same_run(layered: Scenario) -> None:
    assert layered.outcome.code == PUBLISHED_WITH_REJECTIONS
    assert layered.warehouse.published(
        "select release_date::varchar, status from audit.releases"
        f" where source = '{SOURCE}' and release_date >= '2020-01-01' order by 1"
    ) == [(GOOD, "accepted"), *((day, "rejected") for day in FAULTS)]
    assert layered.warehouse.published(
        "select max(release_date)::varchar from core.fct_royalty_observations"
        f" where source = '{SOURCE}'"
    ) == [(GOOD,)]
    assert layered.outcome.started("build").count("publication") == 1


@pytest.mark.parametrize(("day", "words"), REASONS.items(), ids=REASONS)
def test_the_ledger_and_the_output_name_layer_table_rule_and_rows(
    layered: Scenario, day: str, words: list[str]
) -> None:
    ((reason,),) = layered.warehouse.published(
        f"select reason from audit.releases where source = '{SOURCE}' and release_date = '{day}'"
    )
    assert [word for word in words if word not in reason] == []
    printed = reason.replace("\n", "\n    | ")
    assert layered.outcome.output.count(f"REJECTED {SOURCE} {day}: {printed}") == 1


def test_the_failed_gates_stay_in_the_ledger(layered: Scenario) -> None:
    failed = layered.warehouse.workbench(
        "select distinct gate, table_name from audit.gate_results where not success"
    )
    assert set(failed) == {
        ("staging", f"staging.{FIGURES}"),
        ("intermediate", "intermediate.int_published_figures__figures"),
        ("core", "core.fct_royalty_flows"),
        ("marts", "marts.mart_balance_by_partner"),
        ("marts", "marts.mart_coverage"),
    }
    assert layered.warehouse.workbench(
        "select distinct test_name like 'unique_combination_of_columns%' from audit.test_results"
        " where not success"
    ) == [(True,)]


def test_the_next_run_does_not_try_again(layered: Scenario, folders: Warehouse) -> None:
    outcome = layered.warehouse.copy(folders.folder).run()
    assert outcome.code == PUBLISHED
    assert outcome.steps == []
    assert outcome.output.count(f"still rejected: {SOURCE} 2020-03-0") == len(FAULTS)


def test_a_release_accepted_by_hand_is_published_with_warnings(decided: Scenario) -> None:
    warehouse = decided.warehouse
    assert decided.outcome.code == PUBLISHED
    assert warehouse.published(
        "select count(*) from core.fct_royalty_flows where reporter_code = 'ITA'"
    ) != [(0,)]
    ((details,),) = warehouse.published(
        "select details from audit.gate_results where table_name = 'marts.mart_coverage'"
    )
    (failed,) = [detail for detail in json.loads(details) if not detail["success"]]
    assert failed["severity"] == "warning"
    assert "ITA" in str(failed["failing_rows"])


def test_a_bad_reload_falls_back_to_the_earlier_load(layered: Scenario, folders: Warehouse) -> None:
    warehouse = layered.warehouse.copy(folders.folder)
    value = f"select value from staging.{FIGURES} where release_date = '{GOOD}' and row_number = 2"
    before = warehouse.workbench(value)
    old, new = FAULTS["2020-03-02"]
    warehouse.land(SOURCE, GOOD, TEXT.name, text_of(GOOD, reporter="FRA", old=old, new=new))
    outcome = warehouse.run(f"{SOURCE}/{GOOD}")
    assert outcome.code == PUBLISHED_WITH_REJECTIONS
    assert "nothing new: publication" in outcome.output
    assert warehouse.workbench(value) == before
    assert warehouse.workbench(
        f"select status from audit.releases where source = '{SOURCE}' and release_date = '{GOOD}'"
        " order by loaded_at"
    ) == [("accepted",), ("rejected",)]


def test_a_publication_drops_the_rows_of_loads_that_were_replaced(decided: Scenario) -> None:
    assert decided.outcome.code == PUBLISHED
    assert decided.warehouse.workbench(
        "select count(*), count(distinct _loaded_at) from raw.published_figures__figures"
        f" where _release = '{GOOD}'"
    ) == [(16, 1)]


# Consequences of a failed rule, without a build


def rule(query: str, **changes: object) -> FailedRule:
    """A rule on the texts in staging."""
    made = {
        "layer": STAGING,
        "node": f"model.royalty_flows.{FIGURES}",
        "table": f"staging.{FIGURES}",
        "rule": "made up",
        "kind": "plausibility",
        "query": query,
        "found": "",
        "fix": "",
    }
    return FailedRule(**(made | changes))  # type: ignore[arg-type]


LATEST = (
    f"select source, release_date, figure_id from staging.{FIGURES} where release_date = '{{}}'"
)


@pytest.fixture
def new_text(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """The workbench with one more text, accepted and not published."""
    with open_workbench(warehouse.settings) as con:
        table = "raw.published_figures__figures"
        con.execute(
            f"insert into {table} select * replace (date '{GOOD}' as _release) from {table}"
            " where _release = '2019-06-30'"
        )
        con.execute(
            f"insert into audit.releases select * replace (date '{GOOD}' as release_date)"
            f" from audit.releases where source = '{SOURCE}' and release_date = '2019-06-30'"
        )
        current(con)
        yield con


def current(con: duckdb.DuckDBPyConnection) -> None:
    """Make a candidate of the releases that are accepted now."""
    con.execute("update audit.candidates set fingerprint = ?", [build_fingerprint(con)])


def rejected(verdict: Verdict) -> list[str]:
    return [f"{source} {day}" for source, day in verdict.rejected]


def test_rows_that_name_their_release_blame_it(
    new_text: duckdb.DuckDBPyConnection, warehouse: Warehouse
) -> None:
    verdict = judge(new_text, warehouse.settings, [rule(LATEST.format(GOOD))])
    ((release, reason),) = verdict.rejected.items()
    assert release == (SOURCE, date(2020, 2, 29))
    assert "found: 16 rows, the first: figure_id 'made-up-01'" in reason


@pytest.mark.parametrize(
    ("query", "by_itself", "blamed"),
    [
        # looked up by the columns present; of rows that fail together, the newest release
        (
            f"select figure_id, value from staging.{FIGURES} where figure_id = 'made-up-01'",
            False,
            [GOOD],
        ),
        (
            f"select figure_id, value from staging.{FIGURES} where figure_id = 'made-up-01'",
            True,
            ["2019-06-30", GOOD],
        ),
        (
            f"select release_date, count(*) as n from staging.{FIGURES} group by all",
            False,
            ["2002-08-31", "2019-06-30", GOOD],
        ),
        # a null is found as a null
        (f"select distinct note from staging.{FIGURES} where note is null", False, [GOOD]),
        # nothing to go by
        ("select 1 as n", False, []),
        ("", False, []),
        # an error of the rule itself
        ("select no_such_column from staging.x", False, []),
    ],
)
def test_rows_that_do_not_name_their_release_are_looked_up(
    new_text: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    query: str,
    by_itself: bool,
    blamed: list[str],
) -> None:
    found = blame(new_text, warehouse.settings, rule(query, by_itself=by_itself))
    assert [str(each.release) for each in found.releases if str(each.release) in blamed] == blamed
    assert bool(found.releases) == bool(blamed)


def test_a_row_of_several_sources_blames_each(
    new_text: duckdb.DuckDBPyConnection, warehouse: Warehouse
) -> None:
    query = "select distinct source, release_date from intermediate.int_observations"
    failed = rule(
        query,
        layer=INTERMEDIATE,
        node="model.royalty_flows.int_observations",
        table="intermediate.int_observations",
    )
    found = blame(new_text, warehouse.settings, failed)
    assert len({each.source for each in found.releases}) > 5
    # The others are published, and the project has not changed: the new one is at fault.
    verdict = judge(new_text, warehouse.settings, [failed])
    ((release, reason),) = verdict.rejected.items()
    assert release == (SOURCE, date(2020, 2, 29))
    assert (
        f"with it, rows of {len(found.releases)} other releases fail: bea_intl_serv_trade" in reason
    )


def test_a_cell_of_the_wrong_type_blames_its_release(
    new_text: duckdb.DuckDBPyConnection, warehouse: Warehouse
) -> None:
    new_text.execute(
        "update raw.published_figures__figures set value = 'n/a'"
        f" where _release = '{GOOD}' and figure_id = 'made-up-03'"
    )
    verdict = judge(
        new_text,
        warehouse.settings,
        [rule(f"select source from staging.{FIGURES} where value > 1e20", kind="structure")],
    )
    ((release, reason),) = verdict.rejected.items()
    assert release == (SOURCE, date(2020, 2, 29))
    assert 'Could not convert string "n/a"' in reason
    assert new_text.execute(
        "select count(*) from audit.releases where status <> 'accepted'"
    ).fetchall() == [(0,)]  # the trial leaves nothing behind


def test_a_release_accepted_by_hand_may_be_implausible_but_not_broken(
    new_text: duckdb.DuckDBPyConnection, warehouse: Warehouse
) -> None:
    new_text.execute(
        "update audit.releases set reason = 'accepted by hand: I know'"
        f" where release_date = '{GOOD}'"
    )
    implausible = rule(LATEST.format(GOOD))
    assert judge(new_text, warehouse.settings, [implausible]) == Verdict({}, [implausible])
    broken = judge(new_text, warehouse.settings, [rule(LATEST.format(GOOD), kind="structure")])
    assert rejected(broken) == [f"{SOURCE} {GOOD}"]


def test_rows_without_a_release_blame_the_only_new_one(
    new_text: duckdb.DuckDBPyConnection, warehouse: Warehouse
) -> None:
    nameless = rule("select 1 as n", found="1 row")
    ((release, reason),) = judge(new_text, warehouse.settings, [nameless]).rejected.items()
    assert release == (SOURCE, date(2020, 2, 29))
    assert "found: with it, the rule fails: 1 row" in reason
    new_text.execute(
        "update audit.releases set reason = 'accepted by hand: I know'"
        f" where release_date = '{GOOD}'"
    )
    assert judge(new_text, warehouse.settings, [nameless]) == Verdict({}, [nameless])
    # Of two new releases neither is known to be at fault.
    new_text.execute(
        "update audit.releases set loaded_at = loaded_at + interval 1 second"
        f" where source = '{SOURCE}' and release_date = '2019-06-30'"
    )
    current(new_text)
    assert judge(new_text, warehouse.settings, [nameless]) == Verdict()


def test_a_rate_that_contradicts_the_other_bank_s_blames_its_release(
    warehouse: Warehouse,
) -> None:
    """The table is made from two sources, and its rows name no release."""
    lines = "Date,Country,Exchange rate\n2020-01-01,Japan,10.7\n2020-01-01,Taiwan,30\n"
    lines += "1992-01-01,Japan,125\n2017-01-01,Venezuela,10\n2018-01-01,Venezuela,4000000\n"
    warehouse.land("fed_exchange_rates", "2026-11-15", "annual.csv", lines)
    outcome = warehouse.run()
    assert outcome.code == PUBLISHED_WITH_REJECTIONS
    (rejected,) = [line for line in outcome.output.splitlines() if "  REJECTED " in line]
    assert (
        "fed_exchange_rates 2026-11-15: intermediate: intermediate.int_exchange_rates" in rejected
    )
    assert "currency 'JPY', period '2020', units_per_usd 106.74129048" in rejected


def test_a_published_release_is_not_blamed_unless_the_project_has_changed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = [rule(LATEST.format("2019-06-30"))]
    with open_workbench(warehouse.settings) as con:
        assert judge(con, warehouse.settings, failed) == Verdict()
        monkeypatch.setattr("dagster_project.defs.set_aside.fingerprint_of", lambda _: "another")
        assert rejected(judge(con, warehouse.settings, failed)) == [f"{SOURCE} 2019-06-30"]


def test_a_changed_project_that_most_sources_fail_is_at_fault_itself(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.defs.set_aside.fingerprint_of", lambda _: "another")
    failed = rule(
        "select source, release_date from audit.releases",
        layer=INTERMEDIATE,
        node="model.royalty_flows.int_observations",
        table="intermediate.int_observations",
    )
    with open_workbench(warehouse.settings) as con:
        assert judge(con, warehouse.settings, [failed]) == Verdict()


def test_a_table_built_from_other_releases_blames_none(
    new_text: duckdb.DuckDBPyConnection, warehouse: Warehouse
) -> None:
    new_text.execute("update audit.candidates set fingerprint = 'another'")
    assert judge(new_text, warehouse.settings, [rule(LATEST.format(GOOD))]) == Verdict()


def test_the_tag_of_a_run_is_not_that_of_its_retry() -> None:
    def run(run_id: str) -> dg.DagsterRun:
        tags = {SET_ASIDE: "first a/2020-01-01, b/2020-01-02"}
        return dg.DagsterRun(job_name="build", run_id=run_id, tags=tags)

    assert set_aside_by(run("first")) == ["a/2020-01-01", "b/2020-01-02"]
    assert set_aside_by(run("retry")) == []
    assert project_fingerprint()
