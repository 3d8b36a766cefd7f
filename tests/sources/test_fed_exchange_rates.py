from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest.load_release import LoadResult
from dagster_project.sources.fed_exchange_rates import SOURCE
from tests.gates.suite_cases import FIRST, cases, cells, failed_by
from tests.layouts.layout_reader import changed as changed_file
from tests.layouts.layout_reader import refusal
from tests.sources.raw_suites import changed, load
from tests.support import FIXTURES, REAL_FILES, Scenario

MADE_UP = (
    FIXTURES
    / "landing_made_up"
    / "fed_exchange_rates"
    / "2026-10-30"
    / "made_up_exchange-rates-annual.csv"
)
REAL = REAL_FILES / "fed_exchange_rates" / "2026-11-22" / "exchange-rates-annual.csv"
TABLE = "raw.fed_exchange_rates__annual"
STAGED = "staging.stg_fed_exchange_rates__annual"
RATES = "intermediate.int_exchange_rates"


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    return load(SOURCE, tmp_path_factory.mktemp("made_up"), MADE_UP)


def test_a_renamed_column_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed_file(tmp_path, MADE_UP, b"Exchange rate", b"Value")
    assert "'Value' instead of 'Exchange rate'" in refusal(con, path, SOURCE.layouts).found


def test_the_gate_accepts_the_made_up_release(made_up: tuple[Path, LoadResult]) -> None:
    assert failed_by(made_up[0], TABLE, f"select * from {TABLE}") == {}


CASES = cases(
    TABLE,
    {
        "country is in": [changed(TABLE, "country", "_row = 2", "'United Kingdom'")],
        "date is": [
            changed(TABLE, "date", "_row = 2", "'1992-06-01'"),
            changed(TABLE, "date", "_row = 2", "'2027-01-01'"),
        ],
        "a rate is": [changed(TABLE, "exchange_rate", "_row = 2", "'ND'")],
        "one rate": [f"select * from {TABLE} union all select * from {TABLE} where _row = 2"],
    },
)
CASES += cases(STAGED, {"a rate lies": cells(STAGED, FIRST, units_per_usd="0")})


def test_the_ecb_comes_first_and_the_federal_reserve_fills_in(template: Scenario) -> None:
    assert template.warehouse.workbench(
        f"select currency, period, rate_source, days is null from {RATES} where frequency = 'A'"
        " and (rate_source = 'fed_exchange_rates' or (currency, period) = ('JPY', '2020'))"
        " order by 1, 2"
    ) == [
        ("JPY", "1992", "fed_exchange_rates", True),
        ("JPY", "2020", "ecb_reference_rates", False),
        ("TWD", "2020", "fed_exchange_rates", True),
        ("VEF", "2017", "fed_exchange_rates", True),  # 2018 mixes two moneys
    ]


def test_yen_of_1992_become_dollars(template: Scenario) -> None:
    assert template.warehouse.published(  # 500,000 million yen at 125
        "select value_usd_m from core.fct_royalty_observations where period = '1992'"
    ) == [(4000,)]


def test_the_real_release_passes_the_gate(tmp_path: Path) -> None:
    if not REAL.is_file():
        pytest.skip("the publisher's files are not part of the repository")
    database, loaded = load(SOURCE, tmp_path, REAL)
    assert loaded.rows == {"fed_exchange_rates__annual": 993}
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}
    with duckdb.connect(database, read_only=True) as con:
        assert con.execute(
            f"select count(distinct country), max(case when country = 'Japan' then exchange_rate"
            f" end) from {TABLE} where date <= '1992-01-01' and date >= '1992-01-01'"
        ).fetchall() == [(17, "126.7801")]
