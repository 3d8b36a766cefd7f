import csv
import json
import zipfile
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest.load_release import LoadResult
from dagster_project.layouts import csv_layout
from dagster_project.sources.wto_stats import SOURCE
from tests.gates.suite_cases import cases, cells, failed_by, twice
from tests.layouts.layout_reader import changed, read, refusal
from tests.sources.raw_suites import load
from tests.support import (
    FIXTURES,
    REAL_FILES_MORE,
    Scenario,
)

MADE_UP = FIXTURES / "landing_made_up" / "wto_stats"
DOWNLOAD = MADE_UP / "2026-10-19" / "made_up_WtoData.csv"
PAGE = MADE_UP / "2026-10-19" / "made_up_page.json"
BULK = MADE_UP / "2026-04-22" / "made_up_services_annual_dataset.csv"
REAL_RELEASES = REAL_FILES_MORE / "wto_stats"
REAL = REAL_RELEASES / "2024-11-16" / "WtoData_20241116094958.csv"
MICRO = "cast(cast({} as decimal(18, 6)) as varchar)"
TABLE = "raw.wto_stats__observations"
STAGED = "staging.stg_wto_stats__observations"
CONFORMED = "intermediate.int_wto_stats__observations"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    if not REAL.is_file():
        pytest.skip("the publisher's file is not part of the repository")
    return load(SOURCE, tmp_path_factory.mktemp("real"), REAL)


# The layouts


def test_the_download_is_in_windows_1252(con: duckdb.DuckDBPyConnection) -> None:
    extract = read(con, DOWNLOAD, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (21, 19)  # without travel and a memo item
    rows = extract.rows.select("right(indicator, 8), partner, partner_iso3, value, _row")
    assert rows.fetchall()[9] == ("\u2013 annual", "Türkiye", "TUR", "2.125", 12)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_download_saved_again_in_utf_8_gives_the_same(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, encoding: str
) -> None:
    saved = tmp_path / "saved.csv"
    saved.write_text(DOWNLOAD.read_text("cp1252"), encoding)
    rows = read(con, saved, SOURCE.layouts).rows.fetchall()
    con.execute("drop table incoming")
    assert rows == read(con, DOWNLOAD, SOURCE.layouts).rows.fetchall()


def test_columns_are_found_by_name(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    records = list(csv.reader(DOWNLOAD.read_text("cp1252").splitlines()))
    moved = tmp_path / "moved.csv"
    with moved.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file).writerows([*record[::-1], "further"] for record in records)
    rows = read(con, moved, SOURCE.layouts).rows.fetchall()
    con.execute("drop table incoming")
    assert rows == read(con, DOWNLOAD, SOURCE.layouts).rows.fetchall()


def test_the_bulk_file_has_other_headers_and_no_text_values(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "services_annual_dataset.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(BULK, "services_annual_dataset.csv")
    extract = read(con, path, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (6, 5)
    rows = extract.rows.select("partner, item_code, value, text_value, value_flag_code, _row")
    assert rows.fetchall()[3:] == [
        ("Türkiye", "SH", "2", None, "C", 6),
        ("World", "S266", "5.5", None, None, 7),
    ]


def test_a_large_bulk_file_is_read_without_numbers_of_rows(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_layout, "BULK_BYTES", 10)
    extract = read(con, BULK, SOURCE.layouts)
    assert extract.rows.select("value, _row").fetchall()[3:] == [("2", None), ("5.5", None)]
    assert extract.scratch
    extract.close()
    (layout,) = [layout for layout in SOURCE.layouts if layout.name.endswith("of services")]
    assert isinstance(layout, csv_layout.CsvLayout)
    assert layout.lines_of(con, BULK, {"partner": "Türkiye", "item_code": "SH"}) == [6]


def test_answers_of_the_api_have_no_alpha_3_codes(con: duckdb.DuckDBPyConnection) -> None:
    rows = read(con, PAGE, SOURCE.layouts).rows
    assert rows.select("reporter_code, reporter_iso3, item_code, year, value, _row").fetchall() == [
        ("308", None, "SH", "2023", "0.125", 1),
        ("058", None, "S266", "2000", "12.5", 2),
    ]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b'"Unit Code"', b'"Unit"', "the column 'Unit' twice; no column 'Unit Code'"),
        (b"\xfc", b"\x81", "the byte 0x81"),
    ],
)
def test_a_file_that_is_not_the_publishers_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, old: bytes, new: bytes, found: str
) -> None:
    path = changed(tmp_path, DOWNLOAD, old, new)
    assert found in refusal(con, path, SOURCE.layouts).found


def test_an_answer_without_a_member_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    document = json.loads(PAGE.read_text("utf-8"))
    del document["Dataset"][0]["UnitCode"]
    path = tmp_path / "page.json"
    path.write_text(json.dumps(document))
    assert refusal(con, path, SOURCE.layouts).found == "a document without 'UnitCode'"


# The gates

CASES = cases(
    TABLE,
    {
        "the unit is": [
            cells(TABLE, "_row = 3", unit_code="'EUM'", unit="'Million euro'"),
            cells(TABLE, "_row = 3", unit_code="null"),
        ],
        "the classification": [
            cells(TABLE, "_row = 3", classification_code="'BOP7'"),
            cells(TABLE, "_row = 3", item_code="'S266'"),
        ],
        "each record names": cells(TABLE, "_row = 3", partner_code="null"),
        "item, reporter and": [
            cells(TABLE, "_row = 3", item_code="'SH9'"),
            cells(TABLE, "_row = 3", reporter_code="'999'", reporter_iso3="null"),
            cells(TABLE, "_row = 3", partner_iso3="'QQQ'"),
        ],
        "the flow of": cells(TABLE, "_row = 3", indicator_code="'ITS_CS_QX_SA'"),
        "every flag": cells(TABLE, "_row = 3", value_flag_code="'Z'"),
        "year is a year": [
            cells(TABLE, "_row = 3", year="'2027'"),
            cells(TABLE, "_row = 3", period_code="'M13'"),
        ],
        "value is a number": cells(TABLE, "_row = 3", value="'1,5'"),
        "a level is below": cells(TABLE, "_row = 3", value="'10000000'"),
        "one record": twice(TABLE, "_row = 3 and _release = '2026-10-19'"),
    },
)
CASES += cases(
    STAGED,
    {
        "growth on": cells(STAGED, "measure = 'growth_pct'", value="27"),
        "three months": cells(STAGED, "period = '2023-Q1'", value="28.77"),
    },
)
CASES += cases(
    CONFORMED,
    {"the parts": cells(CONFORMED, "category_code = 'SH2' and partner_code = 'WLD'", value="5")},
)


# The models, on made-up files


def test_every_form_arrives(template: Scenario) -> None:
    assert template.warehouse.published(
        "select reporter_code, partner_code, category_code, concept, flow, period, value,"
        " obs_status from core.fct_royalty_observations where source = 'wto_stats'"
        " and release_date = '2026-10-19' and reporter_code <> 'TTO' order by all"
    ) == [
        ("BLX", "WLD", "_T", "BPM5_ROYALTIES", "receipts", "2000", 12.5, "A"),
        ("GRD", "WLD", "_T", "BPM6_SH", "receipts", "2023", 0.125, "A"),
        ("TWN", "WLD", "_T", "BPM5_ROYALTIES", "receipts", "2012", 5.5, "A"),
        ("TWN", "WLD", "_T", "BPM6_SH", "receipts", "2023", 8, "A"),
    ]


def test_flags_and_missing_values(template: Scenario) -> None:
    assert template.warehouse.published(
        f"select partner_code, flow, period, {MICRO.format('value')}, obs_status"
        " from core.fct_royalty_observations where source = 'wto_stats'"
        " and release_date = '2026-10-19' and reporter_code = 'TTO' and category_code = '_T'"
        " and frequency = 'A' order by all"
    ) == [
        ("EUU", "receipts", "2023", "3.500000", "A"),
        ("TUR", "receipts", "2023", "2.125000", "D"),
        ("WLD", "payments", "2022", "90.500000", "B"),
        ("WLD", "payments", "2023", "100.123456", "E"),
        ("WLD", "receipts", "2021", None, "O"),
        ("WLD", "receipts", "2023", "10.500000", "A"),
    ]


def test_growth_is_among_the_stated_rates(template: Scenario) -> None:
    assert template.warehouse.published(
        "select figure_id, measure, value, unit, currency, stated_as from core.fct_stated_rates"
        " where source = 'wto_stats'"
    ) == [
        (
            *("ITS_CS_MM_GR.780.000.SH.2023-01", "growth_pct", 25, "percent", None),
            "25 (% change over the same period of the previous year)",
        )
    ]


# The publisher's own file


def test_each_of_the_446_records_is_accounted_for(real: tuple[Path, LoadResult]) -> None:
    database, loaded = real
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(7146, 446)]
    with duckdb.connect(database, read_only=True) as con:
        found = con.execute(
            f"select indicator_code, item_code, unit_code, count(*) from {TABLE} group by all"
        ).fetchall()
    with REAL.open(encoding="cp1252", newline="") as file:
        expected = Counter(
            (record["Indicator Code"], record["Product/Sector Code"], record["Unit Code"])
            for record in csv.DictReader(file)
            if record["Product/Sector Code"].startswith("SH")
        )
    assert {tuple(key): count for *key, count in found} == expected
    assert sum(expected.values()) == 446


def test_the_real_file_passes_its_gate(real: tuple[Path, LoadResult]) -> None:
    assert failed_by(real[0], TABLE, f"select * from {TABLE}") == {}


def test_levels_and_rates_of_the_real_file_by_indicator(union: Scenario) -> None:
    assert "  accepted wto_stats 2024-11-16: " in union.outcome.output
    assert "REJECTED wto_stats" not in union.outcome.output
    assert union.warehouse.published(
        "select frequency, flow, category_code, count(*) from core.fct_royalty_observations"
        " where source = 'wto_stats' group by all order by all"
    ) == [
        ("A", "payments", "SH2", 1),
        ("A", "payments", "SH4", 1),
        ("A", "payments", "_T", 7),
        ("A", "receipts", "SH2", 1),
        ("A", "receipts", "SH4", 1),
        ("A", "receipts", "_T", 7),
        ("M", "payments", "_T", 92),
        ("M", "receipts", "_T", 92),
        ("Q", "payments", "_T", 30),
        ("Q", "receipts", "_T", 30),
    ]  # 262 levels; with the rates 446
    assert union.warehouse.published(
        "select split_part(figure_id, '.', 1) as indicator, measure, unit, currency, count(*)"
        " from core.fct_stated_rates where source = 'wto_stats' group by all order by all"
    ) == [
        ("ITS_CS_MM_GR", "growth_pct", "percent", None, 92),
        ("ITS_CS_MX_GR", "growth_pct", "percent", None, 92),
    ]


def test_no_rate_is_among_the_levels(union: Scenario) -> None:
    """The observations of the facts are exactly the records in million US dollars."""
    in_facts = set(
        union.warehouse.published(
            "select row_number from core.fct_royalty_observations where source = 'wto_stats'"
        )
    )
    records = union.warehouse.workbench(f"select _row, unit_code from {TABLE}")
    assert in_facts == {(row,) for row, unit in records if unit == "USM"}
    assert {unit for _, unit in records} == {"USM", "YOY"}


def test_no_expectation_on_the_real_file_failed(union: Scenario) -> None:
    assert (
        union.warehouse.published(
            "select table_name, details from audit.gate_results where failed > 0"
            " and table_name like '%wto_stats%'"
        )
        == []
    )


@pytest.mark.parametrize(
    ("flow", "category", "period", "value", "status"),
    [
        ("receipts", "_T", "2022", "13539.241561", "A"),
        ("payments", "_T", "2022", "44425.806252", "A"),
        ("receipts", "_T", "2023", "12168.414745", "E"),
        ("payments", "_T", "2023", "52731.243368", "E"),
        ("receipts", "SH2", "2018", "529.229921", "A"),
        ("receipts", "SH4", "2018", "132.289222", "A"),
        ("payments", "SH2", "2018", "16178.713038", "A"),
    ],
)
def test_the_numbers_that_readers_know(
    union: Scenario, flow: str, category: str, period: str, value: str, status: str
) -> None:
    assert union.warehouse.published(
        f"select {MICRO.format('value')}, obs_status from core.fct_royalty_observations"
        f" where source = 'wto_stats' and reporter_code = 'CHN' and flow = '{flow}'"
        f" and category_code = '{category}' and period = '{period}'"
    ) == [(value, status)]


def test_the_deficit_of_31_billion_is_confirmed_by_the_texts_own_system(union: Scenario) -> None:
    assert union.warehouse.published(
        "select source, cast(release_date as varchar), verdict, round(found_value, 4)"
        " from marts.mart_published_claims where claim_id = 'csis-2025-chn-2022-balance'"
        " and source = 'wto_stats'"
    ) == [("wto_stats", "2024-11-16", "confirmed", -30.8866)]
    assert union.warehouse.published(
        f"select {MICRO.format('balance_usd_m')}, balance_is_stated from core.fct_royalty_flows"
        " where source = 'wto_stats'"
        " and reporter_code = 'CHN' and period = '2022' and category_code = '_T'"
    ) == [("-30886.564691", False)]
