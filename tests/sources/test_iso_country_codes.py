from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.ingest.load_release import LoadResult
from dagster_project.sources.iso_country_codes import SOURCE
from tests.gates.suite_cases import cases, cells, failed_by
from tests.layouts.layout_reader import changed as changed_file
from tests.layouts.layout_reader import read, refusal
from tests.sources.raw_suites import changed, load
from tests.support import FIXTURES, REAL_FILES, Scenario, Warehouse, execute

MADE_UP = (
    FIXTURES / "landing_made_up" / "iso_country_codes" / "2026-10-30" / "made_up_country-codes.csv"
)
REAL = REAL_FILES / "iso_country_codes" / "2026-11-22" / "country-codes.csv"
TABLE = "raw.iso_country_codes__countries"
STAGED = "staging.stg_iso_country_codes__countries"


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    return load(SOURCE, tmp_path_factory.mktemp("made_up"), MADE_UP)


def test_columns_are_found_by_name_and_others_left_out(con: duckdb.DuckDBPyConnection) -> None:
    rows = read(con, MADE_UP, SOURCE.layouts).rows
    assert rows.columns == [*SOURCE.tables[0].columns, "_sheet", "_row"]
    assert rows.filter("alpha_3 = 'NAM'").fetchall() == [
        ("NAM", "NA", "516", "Africa", "Sub-Saharan Africa", None, None, "NAD,ZAR", None, 2)
    ]


@pytest.mark.parametrize("new", [b"ISO 4217", b"M49"])
def test_a_missing_or_duplicate_column_is_named(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, new: bytes
) -> None:
    path = changed_file(tmp_path, MADE_UP, b"ISO4217-currency_alphabetic_code", new)
    problem = refusal(con, path, SOURCE.layouts)
    assert "'ISO4217-currency_alphabetic_code'" in problem.found
    assert ("'M49'" in problem.found) == (new == b"M49")


def test_the_gate_accepts_the_made_up_release(made_up: tuple[Path, LoadResult]) -> None:
    assert failed_by(made_up[0], TABLE, f"select * from {TABLE}") == {}


JAPAN = "alpha_3 = 'JPN'"
CASES = cases(
    TABLE,
    {
        "the codes are filled": [
            changed(TABLE, "alpha_3", JAPAN, "'Japan'"),
            changed(TABLE, "alpha_2", JAPAN, "null"),
            changed(TABLE, "m49", JAPAN, "'39.2'"),
        ],
        "alpha_3 is a known economy": [changed(TABLE, "alpha_3", JAPAN, "'QQQ'")],
        "alpha_3 is unique": [
            f"select * from {TABLE} union all select * from {TABLE} where {JAPAN}"
        ],
        "every area but": [changed(TABLE, "region", JAPAN, "null")],
        "x marks": [
            changed(TABLE, "ldc", "ldc = 'x'", "'yes'"),
            changed(TABLE, "sids", "sids = 'x'", "null"),
            changed(TABLE, "ldc", "true", "'x'"),
        ],
        "currencies are": [changed(TABLE, "currencies", JAPAN, "'Yen'")],
    },
)
CASES += cases(STAGED, {"the codes are": cells(STAGED, "iso3 = 'NAM'", iso2="'NM'")})


def test_the_dimensions_have_regions_groups_and_currencies(template: Scenario) -> None:
    columns = "un_region, un_subregion, is_least_developed, is_small_island_state, currencies"
    for role in ("reporter", "partner"):
        assert template.warehouse.published(
            f"select {role}_code, {columns} from core.dim_{role}"
            f" where {role}_code in ('NAM', 'AFG', 'TUV', 'TUR', 'FRA', 'WLD') order by 1"
        ) == [
            ("AFG", "Asia", "Southern Asia", True, False, "AFN"),
            (
                "FRA",
                "Not classified",
                "Not classified",
                None,
                None,
                None,
            ),  # not in the made-up file
            ("NAM", "Africa", "Sub-Saharan Africa", False, False, "NAD+ZAR"),
            ("TUR", "Asia", "Western Asia", False, False, None),
            ("TUV", "Oceania", "Polynesia", True, True, "AUD"),
            ("WLD", "Aggregates", "Aggregates", None, None, None),
        ]


def test_without_the_source_the_columns_are_empty(warehouse: Warehouse) -> None:
    with duckdb.connect(warehouse.settings.workbench) as con:
        con.execute(f"delete from {TABLE}")
    selection = dg.AssetSelection.assets(dg.AssetKey(["intermediate", "int_economies"]))
    assert execute(selection).success
    assert warehouse.workbench(
        "select count(*) > 0, count(un_region), count(is_least_developed)"
        " from intermediate.int_economies"
    ) == [(True, 0, 0)]


def test_the_real_release_passes_the_gate(tmp_path: Path) -> None:
    if not REAL.is_file():
        pytest.skip("the publisher's files are not part of the repository")
    database, loaded = load(SOURCE, tmp_path, REAL)
    assert loaded.rows == {"iso_country_codes__countries": 249}
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}
