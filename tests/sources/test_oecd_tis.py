"""The OECD's DF_TIS, on made-up files: no real one could be found.

Numbers are worked out by hand from the fixtures, one release per format.
"""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_project.sources.oecd_tis import SOURCE
from tests.gates.suite_cases import FIRST, cases, cells, twice
from tests.layouts.layout_reader import changed, read, refusal
from tests.support import MADE_UP, Scenario

FOLDER = MADE_UP / "oecd_tis"
JSON = FOLDER / "2026-08-01" / "made_up_sdmx_json_2.json"
XML = FOLDER / "2026-09-01" / "made_up_structure_specific.xml"
CSV = FOLDER / "2026-10-10" / "made_up_csvfilewithlabels.csv"
TABLE = "raw.oecd_tis__observations"
STAGED = "staging.stg_oecd_tis__observations"
CONFORMED = "intermediate.int_oecd_tis__observations"


@pytest.mark.parametrize(
    ("path", "read_", "kept"),
    [(JSON, 5, 3), (XML, 5, 4), (CSV, 15, 12)],
    ids=["json", "xml", "csv"],
)
def test_parents_and_adjusted_series_are_counted_and_left_out(
    con: duckdb.DuckDBPyConnection, path: Path, read_: int, kept: int
) -> None:
    extract = read(con, path, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (read_, kept)
    assert len(extract.rows) == kept
    assert extract.rows.select("measure, adjustment").distinct().fetchall() == [("SH", "N")]


def test_codes_are_taken_and_labels_left(con: duckdb.DuckDBPyConnection) -> None:
    row = read(con, CSV, SOURCE.layouts).rows.filter("currency is not null").fetchone()
    assert row == (
        *("CAN", "W", "SH", "C", "T", "A", "XDC", "N", "2023", "A", None, "6", "CAD"),
        *("OECD.SDD.TPS:DSD_BOP@DF_TIS(1.0)", "OBS_VALUE", "6750.675", None, 13),
    )


@pytest.mark.parametrize("path", [JSON, XML], ids=["json", "xml"])
def test_values_and_attributes_are_found_at_every_level_of_a_message(
    con: duckdb.DuckDBPyConnection, path: Path
) -> None:
    world = read(con, path, SOURCE.layouts).rows.filter("counterpart_area = 'W'")
    newest = ("4700.5", "E") if path == JSON else ("4790.0", "P")
    assert world.select('time_period, "value", obs_status, unit_mult').fetchall() == [
        ("2021", "4500.25" if path == JSON else "4500.10", "A", "6"),
        ("2022", *newest, "6"),
    ]


@pytest.mark.parametrize(
    ("path", "old", "new", "found"),
    [
        (CSV, b"ADJUSTMENT,", b"SEASON,", "instead of 'ADJUSTMENT'"),
        (XML, b' FREQ="A"', b"", "observation 1 without freq"),
        (JSON, b'"ADJUSTMENT"', b'"SEASON"', "observation 1 without adjustment"),
    ],
)
def test_a_message_without_a_dimension_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, path: Path, old: bytes, new: bytes, found: str
) -> None:
    assert found in refusal(con, changed(tmp_path, path, old, new), SOURCE.layouts).found


def facts(template: Scenario, release: str, where: str = "true") -> list[tuple]:
    return template.warehouse.published(
        "select partner_code, flow, period, value, currency, obs_status, conf_status"
        " from core.fct_royalty_observations where source = 'oecd_tis'"
        f" and release_date = '{release}' and {where} order by all"
    )


def test_units_multipliers_and_statuses_end_to_end(template: Scenario) -> None:
    assert facts(template, "2026-10-10", "reporter_code = 'CAN' and partner_code <> 'WLD'") == [
        ("CHN", "payments", "2023", None, "USD", "Q", "C"),
        ("USA", "payments", "2023", None, "USD", "M", "F"),
        ("USA", "receipts", "2023", Decimal("2500"), "USD", "E", "F"),
    ]
    assert facts(template, "2026-10-10", "reporter_code = 'CAN' and partner_code = 'WLD'") == [
        ("WLD", "balance", "2023", Decimal("-3999.75"), "USD", "A", "F"),
        ("WLD", "payments", "2023", Decimal("9000.25"), "USD", "A", "F"),
        ("WLD", "receipts", "2022", Decimal("4800"), "USD", "A", "F"),
        ("WLD", "receipts", "2023", Decimal("5000.5"), "USD", "A", "F"),
        ("WLD", "receipts", "2023", Decimal("6750.675"), "CAD", "A", "F"),
        ("WLD", "receipts", "2023-Q4", Decimal("1250.125"), "USD", "P", "F"),
    ]
    # Thousands in the file, millions here; francs by the seed.
    assert facts(template, "2026-10-10", "reporter_code = 'CHE'") == [
        ("EU27", "receipts", "2023", Decimal("14500"), "USD", "B", "F"),
        ("WLD", "receipts", "2023", Decimal("27900"), "CHF", "A", "F"),
        ("WLD", "receipts", "2023", Decimal("31000"), "USD", "A", "F"),
    ]


def test_each_format_ends_in_the_same_facts(template: Scenario) -> None:
    assert facts(template, "2026-08-01") == [
        ("USA", "receipts", "2022", None, "USD", "M", "F"),
        ("WLD", "receipts", "2021", Decimal("4500.25"), "USD", "A", "F"),
        ("WLD", "receipts", "2022", Decimal("4700.5"), "USD", "E", "F"),
    ]
    assert facts(template, "2026-09-01") == [
        ("USA", "receipts", "2021", Decimal("2300.5005"), "USD", "A", "F"),
        ("USA", "receipts", "2022", None, "USD", "M", "F"),
        ("WLD", "receipts", "2021", Decimal("4500.1"), "USD", "A", "F"),
        ("WLD", "receipts", "2022", Decimal("4790"), "USD", "P", "F"),
    ]


CASES = cases(
    TABLE,
    {
        "item, reporter and": [
            cells(TABLE, "_row = 6", measure="'SH9'"),
            cells(TABLE, "_row = 6", ref_area="'QQQ'"),
            cells(TABLE, "_row = 6", counterpart_area="'W99'"),
        ],
        "a status is": [
            cells(TABLE, "_row = 6", obs_status="'Z9'"),
            cells(TABLE, "_row = 6", conf_status="'Z'"),
        ],
        "entry, transaction": [
            cells(TABLE, "_row = 6", accounting_entry="'A'"),
            cells(TABLE, "_row = 6", fs_entry="'LE'"),
            cells(TABLE, "_row = 6", freq="'M'"),
            cells(TABLE, "_row = 6", unit_mult="null"),
            cells(TABLE, "_row = 6", unit_mult="'millions'"),
            cells(TABLE, "_row = 6", obs_status="null"),
        ],
        "one observation per": twice(TABLE, "_row = 6", value="'1'"),
        "a cell is": [
            cells(TABLE, "_row = 6", value=value)
            for value in ("'1,5'", "'..'", "repeat('9', 400)", "'1e20'")
        ],
        "a file that names": cells(TABLE, "true", dataflow="'OECD.SDD.TPS:DSD_BOP@DF_BOP(1.0)'"),
        "no observation has": cells(TABLE, "_row = 6", time_period="'2027-Q1'"),
    },
)
CASES += cases(
    STAGED,
    {
        "a confidential": cells(STAGED, "obs_status = 'Q'", value="1"),
        "the currency of": [
            cells(STAGED, "unit = 'XDC'", stated_currency="null", reporter="'DEU'"),
            cells(STAGED, FIRST, unit="'PT_B1GQ'"),
        ],
    },
)
CASES += cases(CONFORMED, {"a figure is": cells(CONFORMED, "value = 2500", value="1e7")})
