from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from openpyxl import load_workbook

from dagster_project.base.settings import Settings
from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.sources.safe_bop_time_series import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench.connection import open_workbench
from tests.gates.suite_cases import cases, cells, failed_by
from tests.layouts.layout_reader import read, refusal
from tests.sources.workbooks import changed_workbook
from tests.support import FIXTURES, REAL_FILES_MORE, Scenario

FILE = FIXTURES / "landing_made_up" / "safe_bop_time_series" / "2026-03-27" / "made_up_bpm6.xlsx"
TABLE = "raw.safe_bop_time_series__observations"
STAGED = "staging.stg_safe_bop_time_series__observations"
CONFORMED = "intermediate.int_safe_bop_time_series__observations"
YEARS, QUARTERS = [sheet for layout in SOURCE.layouts for sheet in layout.sheets]  # type: ignore[attr-defined]


REAL = REAL_FILES_MORE / SOURCE.name


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    settings = Settings(warehouse_dir=tmp_path_factory.mktemp("safe"))
    release = Release(SOURCE.name, date(2026, 3, 27), (FILE,))
    with open_workbench(settings) as con:
        return settings.workbench, load_release(con, SOURCE, release)


def test_only_the_one_item_in_dollars_is_kept(con: duckdb.DuckDBPyConnection) -> None:
    extract = read(con, FILE, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (32, 6)
    assert len(extract.rows) == 3 * (3 + 4)


def test_cells_are_kept_as_written_with_their_address(con: duckdb.DuckDBPyConnection) -> None:
    cells = read(con, FILE, SOURCE.layouts).rows.filter("period in ('2024', '1982', '2025Q3')")
    assert cells.select('entry, period, "value", _sheet, _row, "_column"').order(
        "_row, _column"
    ).fetchall() == [
        (None, "1982", None, YEARS, 12, "B"),
        (None, "2024", "-80.25", YEARS, 12, "C"),
        (None, "2025Q3", "-20", QUARTERS, 12, "D"),
        ("贷方", "1982", None, YEARS, 13, "B"),
        ("贷方", "2024", "40.25", YEARS, 13, "C"),
        ("贷方", "2025Q3", "12.5", QUARTERS, 13, "D"),
        ("借方", "1982", None, YEARS, 14, "B"),
        ("借方", "2024", "-120.5", YEARS, 14, "C"),
        ("借方", "2025Q3", "-32.5", QUARTERS, 14, "D"),
    ]
    assert YEARS.endswith(" ")


@pytest.mark.parametrize(
    ("address", "value", "expected", "where"),
    [
        ("A12", "1.A.b.8 版权使用费", "1.A.b.8知识产权使用费", "A5"),
        ("A13", "借方", "贷方", "A13"),
        ("A14", "贷方", "借方", "A14"),
        ("A4", "Item", "项目", "A3"),
        ("A2", "单位:亿元", "单位:亿美元", "A1"),
        ("C4", "2024/25", "a period", "C4"),
    ],
)
def test_a_renamed_label_is_named_with_sheet_and_cell(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    address: str,
    value: str,
    expected: str,
    where: str,
) -> None:
    path = changed_workbook(FILE, tmp_path, {(YEARS, address): value})
    problem = refusal(con, path, SOURCE.layouts)
    assert expected in problem.expected
    assert problem.where == f"{FILE.name}, sheet {YEARS!r}, cell {where}"


def test_a_renamed_sheet_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed_workbook(FILE, tmp_path, {}, rename=(YEARS, "Sheet1"))
    assert repr(YEARS) in refusal(con, path, SOURCE.layouts).found


def test_a_sheet_without_the_blank_and_with_rows_moved_down_is_read(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed_workbook(FILE, tmp_path, {}, rename=(YEARS, YEARS.strip()))
    book = load_workbook(path)
    for sheet in book.worksheets:
        sheet.insert_rows(1, 2)
    book.save(path)
    rows = read(con, path, SOURCE.layouts).rows
    assert rows.filter("period = '2024'").select('entry, "value", _sheet, _row, "_column"').order(
        "_row"
    ).fetchall() == [
        (None, "-80.25", YEARS.strip(), 14, "C"),
        ("贷方", "40.25", YEARS.strip(), 15, "C"),
        ("借方", "-120.5", YEARS.strip(), 16, "C"),
    ]


def test_an_error_in_a_sheet_without_the_blank_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    changes: dict[tuple[str, str], object] = {(YEARS, "C13"): "#REF!"}
    path = changed_workbook(FILE, tmp_path, changes, rename=(YEARS, YEARS.strip()))
    assert refusal(con, path, SOURCE.layouts).where.endswith("cell C13")


def test_a_good_file_passes_its_gate(loaded: tuple[Path, LoadResult]) -> None:
    (result,) = run_suites(
        loaded[0], [Batch("made up", TABLE, f"select * from {TABLE}")], Settings()
    )
    assert [detail for detail in result.details if not detail["success"]] == []


def cells_of_the_workbook() -> dict[tuple[str, str], Decimal]:
    """Flow and period -> millions of US dollars, read with openpyxl, payments positive."""
    (path,) = REAL.glob("*/*.xlsx")
    book = load_workbook(path, read_only=True)
    found = {}
    for name in (YEARS, QUARTERS):
        rows = list(book[name].iter_rows(values_only=True))
        item = next(n for n, row in enumerate(rows) if "1.A.b.8" in str(row[0]))
        for flow, sign, row in zip(
            ("balance", "receipts", "payments"), (1, 1, -1), rows[item : item + 3], strict=True
        ):
            for header, cell in zip(rows[3][1:], row[1:], strict=True):
                if isinstance(cell, int | float):
                    period = str(header).replace("Q", "-Q")
                    found[flow, period] = sign * Decimal(repr(cell)) * 100
    return found


def placeholders(cells: dict[tuple[str, str], Decimal]) -> set[tuple[str, str]]:
    """Keys of the zeros before the first period of their frequency with a figure."""
    found = set()
    for quarterly in (False, True):
        of_sheet = {key: value for key, value in cells.items() if ("Q" in key[1]) == quarterly}
        first = min(period for (_, period), value in of_sheet.items() if value)
        found |= {key for key in of_sheet if key[1] < first}
    return found


def test_the_real_workbook_passes_every_gate(union: Scenario) -> None:
    assert "  accepted safe_bop_time_series 2024-03-29: " in union.outcome.output
    workbench = union.warehouse.workbench
    assert workbench(
        f"select status, reason from audit.releases where source = '{SOURCE.name}'"
    ) == [("accepted", None)]
    assert workbench("select * from audit.decisions") == []
    assert workbench(
        "select distinct table_name, failed from audit.gate_results"
        f" where table_name like '%{SOURCE.name}%' order by 1"
    ) == [(table, 0) for table in sorted((TABLE, STAGED, CONFORMED))]


@pytest.mark.parametrize(
    "statements",
    [
        "select flow, period, value from core.fct_royalty_observations",
        "select flow, period, value_usd_m from core.fct_royalty_observations",
        "select name, period, amount from (unpivot"
        " (from core.fct_royalty_flows where not is_computed)"
        " on receipts, payments, balance into name name value amount)",
    ],
)
def test_every_cell_of_the_real_workbook_is_published_to_its_last_digit(
    union: Scenario, statements: str
) -> None:
    cells = cells_of_the_workbook()
    assert len(cells) == 534
    zeros = placeholders(cells)
    expected = {key: value for key, value in cells.items() if key not in zeros}
    found = union.warehouse.published(f"{statements} where source = '{SOURCE.name}'")
    stated = {(flow, period): value for flow, period, value in found if value is not None}
    assert stated == expected


def test_the_zeros_of_1950_to_1996_are_no_figures(union: Scenario) -> None:
    flows = ("balance", "payments", "receipts")
    zeros = [(flow, str(year)) for flow in flows for year in range(1950, 1997)]
    cells = cells_of_the_workbook()
    assert sorted(placeholders(cells)) == zeros
    assert {cells[key] for key in zeros} == {0}
    published = union.warehouse.published
    found = "from core.fct_royalty_observations where source = 'safe_bop_time_series'"
    assert (
        published(
            f"select flow, period {found} and value is null and obs_status = 'L' order by all"
        )
        == zeros
    )
    assert published(f"select count(*) {found} and obs_status = 'A'") == [(534 - len(zeros),)]
    # No change from a year without figures, and no rank before.
    assert published(
        "select year, receipts_usd_m::double, payments_usd_m::double, balance_change_usd_m"
        " from marts.flows_by_country where reporter_code = 'CHN' and year < 1998"
        " and source = 'safe_bop_time_series'"
    ) == [(1997, 54.85, 543.43, None)]


@pytest.mark.parametrize(
    ("period", "flow", "value"),
    [
        ("2022", "receipts", "13306.96100381"),
        ("2022", "payments", "44461.43463096"),
        ("2023-Q4", "balance", "-8155.05816204"),
        ("2002-Q2", "receipts", "43.4482853854"),
        ("2002-Q2", "payments", "577.8246248147"),
        ("2002-Q2", "balance", "-534.3763394293"),
    ],
)
def test_a_figure_of_the_real_workbook(union: Scenario, period: str, flow: str, value: str) -> None:
    assert union.warehouse.published(
        f"select value from core.fct_royalty_observations where source = '{SOURCE.name}'"
        f" and flow = '{flow}' and period = '{period}'"
    ) == [(Decimal(value),)]


@pytest.mark.parametrize(("units", "problems"), [(1, 0), (2, 1)])
def test_a_balance_may_be_off_by_half_a_last_digit_per_term(
    union: Scenario, units: int, problems: int
) -> None:
    changed = cells(
        STAGED, "period = '2002-Q2' and flow = 'receipts'", value=f"value + {units} * rounding"
    )
    failed = failed_by(union.warehouse.settings.workbench, STAGED, changed)
    assert len(failed) == problems


CASES = cases(
    TABLE,
    {
        "value is": cells(TABLE, "period = '2024'", value="'12 345'"),
        "a figure is": cells(TABLE, "period = '2024' and entry is null", value="'10000'"),
        "credits are": [
            cells(TABLE, "entry = '借方' and value is not null", value="'5'"),
            cells(TABLE, "entry = '贷方' and value is not null", value="'-5'"),
        ],
        "one cell for each": f"select * from {TABLE} where period <> '2024' or entry is null",
        "balance, credits": cells(TABLE, "period = '2024' and entry is null", value="null"),
        "no figure": cells(TABLE, "period = '2025'", period="'2027'"),
    },
)
# Half a last digit per term: 0.06 for the three of 2024, 1.6 hundred million for a year's five.
CASES += cases(
    STAGED,
    {
        "the stated balance": cells(
            STAGED, "period = '2024' and flow = 'receipts'", value="value + 0.061"
        )
    },
)
CASES += cases(
    CONFORMED,
    {
        "the four quarters": cells(
            CONFORMED, "period = '2025-Q1' and flow = 'receipts'", value="value + 160.1"
        )
    },
)
