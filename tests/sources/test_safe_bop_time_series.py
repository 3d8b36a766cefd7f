from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.gates.validate import Batch, run_suites
from dagster_project.ingest.load import Loaded, load_release
from dagster_project.settings import Settings
from dagster_project.sources.safe_bop_time_series import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench import open_workbench
from tests.gates.judging import cases, cells
from tests.layouts.reading import read, refusal
from tests.sources.workbooks import changed_workbook
from tests.support import FIXTURES

FILE = FIXTURES / "landing_made_up" / "safe_bop_time_series" / "2026-03-27" / "made_up_bpm6.xlsx"
TABLE = "raw.safe_bop_time_series__observations"
STAGED = "staging.stg_safe_bop_time_series__observations"
CONFORMED = "intermediate.int_safe_bop_time_series__observations"
YEARS, QUARTERS = [sheet for layout in SOURCE.layouts for sheet in layout.sheets]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Loaded]:
    settings = Settings(warehouse_dir=tmp_path_factory.mktemp("safe"))
    release = Release(SOURCE.name, date(2026, 3, 27), (FILE,))
    with open_workbench(settings) as con:
        return settings.workbench, load_release(con, SOURCE, release)


def test_only_the_one_item_in_dollars_is_kept(con: duckdb.DuckDBPyConnection) -> None:
    extract = read(con, FILE, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (32, 6)
    assert len(extract.rows) == 3 * (3 + 4)


def test_cells_come_as_written_with_their_address(con: duckdb.DuckDBPyConnection) -> None:
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
        ("A4", "Item", "项目", "A4"),
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
    path = changed_workbook(FILE, tmp_path, {}, rename=(YEARS, YEARS.strip()))
    assert repr(YEARS) in refusal(con, path, SOURCE.layouts).found


def test_a_good_file_passes_its_gate(loaded: tuple[Path, Loaded]) -> None:
    (result,) = run_suites(loaded[0], [Batch("made up", TABLE, f"select * from {TABLE}")])
    assert [detail for detail in result.details if not detail["success"]] == []


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
CASES += cases(
    STAGED,
    {
        "the stated balance": cells(
            STAGED, "period = '2024' and flow = 'receipts'", value="value + 99"
        )
    },
)
CASES += cases(
    CONFORMED,
    {
        "the four quarters": cells(
            CONFORMED, "period = '2025-Q1' and flow = 'receipts'", value="value + 1000"
        )
    },
)
