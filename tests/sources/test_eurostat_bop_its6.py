"""Eurostat's bop_its6_det, on made-up files: no real one could be found.

Numbers are worked out by hand from the fixtures; the dollar figures are not looked at here.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_project.sources.eurostat_bop_its6 import SOURCE
from tests.gates.suite_cases import FIRST, cases, cells, twice
from tests.layouts.layout_reader import changed, read, refusal
from tests.support import MADE_UP, Scenario

FOLDER = MADE_UP / "eurostat_bop_its6"
TSV = FOLDER / "2024-10-01" / "made_up_bop_its6_det.tsv"
CSV = FOLDER / "2026-10-05" / "made_up_bop_its6_det.csv"
TABLE = "raw.eurostat_bop_its6__observations"
STAGED = "staging.stg_eurostat_bop_its6__observations"
CONFORMED = "intermediate.int_eurostat_bop_its6__observations"


def test_the_cells_of_the_tsv_have_flags_line_and_period(
    con: duckdb.DuckDBPyConnection,
) -> None:
    extract = read(con, TSV, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (10, 9)  # without the parent S
    cells_ = extract.rows.filter("geo = 'DE' and partner in ('US', 'UK')").select(
        'partner, stk_flow, time_period, "value", _row, "_column", obs_flag'
    )
    assert cells_.order("_row, time_period").fetchall() == [
        ("UK", "CRE", "2021", ": ", 5, "2021", None),
        ("UK", "CRE", "2022", ": z", 5, "2022", None),
        ("UK", "CRE", "2023", "0 n", 5, "2023", None),
        ("US", "CRE", "2021", "40.0 ", 6, "2021", None),
        ("US", "CRE", "2022", ": c", 6, "2022", None),
        ("US", "CRE", "2023", "50.1 s", 6, "2023", None),
    ]


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "saved.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + TSV.read_bytes().replace(b"\n", b"\r\n"))
    saved = read(con, path, SOURCE.layouts).rows.fetchall()
    con.execute("drop table incoming")
    assert saved == read(con, TSV, SOURCE.layouts).rows.fetchall()


def test_sdmx_csv_brings_flags_in_columns_of_their_own(con: duckdb.DuckDBPyConnection) -> None:
    extract = read(con, CSV, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (25, 24)
    selected = extract.rows.filter("partner = 'US'").select(
        'time_period, "value", obs_flag, conf_status, dataflow, last_update, _row, "_column"'
    )
    of = ("ESTAT:BOP_ITS6_DET(1.0)", "05/10/26 11:00:00")
    assert selected.order("_row").fetchall() == [
        ("2022", None, None, "C", *of, 8, "OBS_VALUE"),
        ("2023", "50.1", "i", None, *of, 9, "OBS_VALUE"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b"partner,geo", b"partner,area", "without geo"),
        (b"\t2022 ", b"\t\xff22 ", "not UTF-8"),
        (b"\t2022 ", b"\t2021 ", "one per period"),
        (b"\t2022 ", b"\tyear ", "one per period"),
        (b",US,DE\t40.0 \t", b",US,DE\t", "line 6 with 6 codes and 2 cells"),
        (b"CRE,US,DE", b"CRE,DE", "line 6 with 5 codes"),
        (b"CRE,US,DE", b"CRE,,DE", "line 6 with a dimension without a code"),
        (b"1200.0 \n", b"12", "line 11 with 6 codes and 3 cells, without a line end"),
    ],
)
def test_a_tsv_with_another_structure_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, old: bytes, new: bytes, found: str
) -> None:
    problem = refusal(con, changed(tmp_path, TSV, old, new), SOURCE.layouts)
    assert problem.expected == "Eurostat, bop_its6_det, Eurostat TSV"
    assert found in problem.found


def test_a_renamed_csv_column_is_named_and_an_absent_one_marks_an_older_edition(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    problem = refusal(con, changed(tmp_path, CSV, b"CONF_STATUS", b"CONFIDENTIAL"), SOURCE.layouts)
    assert problem.found == "row 1: without conf_status, and with unknown 'CONFIDENTIAL'"
    old = tmp_path / "before_2025.csv"
    lines = CSV.read_text().splitlines()
    old.write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
    assert len(read(con, old, SOURCE.layouts).rows) == 24
    con.execute("drop table incoming")
    text = CSV.read_text().replace("DATAFLOW,LAST UPDATE", "STRUCTURE,STRUCTURE_ID")
    old.write_text(text)  # SDMX-CSV 2.0
    assert len(read(con, old, SOURCE.layouts).rows) == 24


def facts(template: Scenario, release: str, where: str) -> list[tuple]:
    return template.warehouse.published(
        "select period, value, currency, obs_status, conf_status"
        " from core.fct_royalty_observations where source = 'eurostat_bop_its6'"
        f" and release_date = '{date.fromisoformat(release)}' and {where} order by period, currency"
    )


def test_flags_behind_the_number_become_statuses(template: Scenario) -> None:
    germany = "reporter_code = 'DEU' and category_code = '_T'"
    assert facts(
        template, "2024-10-01", f"{germany} and partner_code = 'WLD' and flow = 'receipts'"
    ) == [
        ("2021", Decimal("110.5"), "EUR", "A", "F"),
        ("2022", Decimal("120"), "EUR", "B", "F"),
        ("2023", Decimal("130.25"), "EUR", "B", "F"),  # bep: a break outranks the others
    ]
    assert facts(template, "2024-10-01", f"{germany} and partner_code = 'USA'") == [
        ("2021", Decimal("40"), "EUR", "A", "F"),
        ("2022", None, "EUR", "Q", "C"),
        ("2023", Decimal("50.1"), "EUR", "I", "F"),
    ]
    assert facts(template, "2024-10-01", f"{germany} and partner_code = 'GBR'") == [
        ("2021", None, "EUR", "L", "F"),  # : is not available, : z not applicable
        ("2022", None, "EUR", "M", "F"),
        ("2023", Decimal("0"), "EUR", "N", "F"),
    ]
    assert facts(template, "2024-10-01", "reporter_code = 'GRC'") == [
        ("2021", None, "EUR", "L", "F"),
        ("2022", Decimal("2.5"), "EUR", "U", "F"),
        ("2023", Decimal("3"), "EUR", "D", "F"),
    ]
    payments = f"{germany} and flow = 'payments'"
    assert [row[3] for row in facts(template, "2024-10-01", payments)] == ["A", "A", "P"]


def test_flags_in_columns_become_the_same_statuses(template: Scenario) -> None:
    assert facts(template, "2026-10-05", "reporter_code = 'DEU' and partner_code = 'USA'") == [
        ("2022", None, "EUR", "Q", "C"),
        ("2023", Decimal("50.1"), "EUR", "I", "F"),
    ]
    assert facts(template, "2026-10-05", "reporter_code = 'GRC'") == [
        ("2022", Decimal("2.5"), "EUR", "U", "F"),
        ("2023", None, "EUR", "Q", "C"),  # not for publication
    ]
    assert facts(template, "2026-10-05", "reporter_code = 'SWE'") == [
        ("2022", Decimal("1100"), "SEK", "A", "F"),
        ("2023", Decimal("1200.5"), "SEK", "A", "F"),
    ]


def test_aggregates_are_aggregates_and_parents_are_left_out(template: Scenario) -> None:
    assert facts(
        template, "2026-10-05", "reporter_code = 'EU27' and partner_code = 'NON_EU27'"
    ) == [
        ("2022", Decimal("-11.5"), "EUR", "A", "F"),
        ("2023", Decimal("-10.25"), "EUR", "P", "F"),
    ]
    kinds = template.warehouse.published(
        "select distinct partner_code, kind from core.fct_royalty_observations"
        " join core.dim_partner using (partner_code) where source = 'eurostat_bop_its6' order by 1"
    )
    assert kinds == [
        ("EA20", "aggregate"),
        ("GBR", "country"),
        ("NON_EU27", "aggregate"),
        ("USA", "country"),
        ("WLD", "aggregate"),
    ]
    items = template.warehouse.published(
        "select category_code, sum(value) from core.fct_royalty_observations"
        " where source = 'eurostat_bop_its6' and release_date = '2026-10-05' and period = '2023'"
        " and reporter_code = 'DEU' and partner_code = 'WLD' and flow = 'receipts'"
        " group by 1 order by 1"
    )
    assert items == [("SH1", 22), ("SH2", Decimal("70.25")), ("_T", Decimal("130.25"))]


CASES = cases(
    TABLE,
    {
        "item, reporter and": [
            cells(TABLE, "_row = 9", bop_item="'SH9'"),
            cells(TABLE, "_row = 9", geo="'QQ'"),
            cells(TABLE, "_row = 9", partner="'ATLANTIS'"),
        ],
        "a flag is": [
            cells(TABLE, "_row = 9", obs_flag="'k'"),
            cells(TABLE, "_row = 9", conf_status="'D'"),
            cells(TABLE, "_row = 9", value="'50.1 k'"),
        ],
        "frequency, flow and": [
            cells(TABLE, "_row = 9", freq="'M'"),
            cells(TABLE, "_row = 9", stk_flow="'NET'"),
            cells(TABLE, "_row = 9", currency="'MIO_USD'"),
        ],
        "one observation per": twice(TABLE, "_row = 24", value="'1'"),
        "a cell is": [
            cells(TABLE, "_row = 9", value=v)
            for v in ("'1,5'", "'n/a'", "'1.2.3'", "repeat('9', 400)", "'1e20'")
        ],
        "a file that names": cells(TABLE, "true", dataflow="'ESTAT:BOP_ITS6_TOT(1.0)'"),
        "no observation has": cells(TABLE, "_row = 9", time_period="'2027'"),
    },
)
CASES += cases(
    STAGED,
    {
        "a confidential": cells(STAGED, "obs_status = 'Q'", value="1"),
        "the currency of": [
            cells(STAGED, "unit = 'MIO_NAC'", reporter="'DE'"),
            cells(STAGED, FIRST, unit="'THS_EUR'"),
        ],
    },
)
CASES += cases(CONFORMED, {"a figure is": cells(CONFORMED, "value = 50.1", value="1e7")})
