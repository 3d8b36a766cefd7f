import csv
from datetime import date
from pathlib import Path

import duckdb
import pytest
from python_calamine import CalamineWorkbook

from dagster_project.base.settings import Settings
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.sources.code_lists import seed
from dagster_project.sources.ons_services_by_partner import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench.connection import open_workbench
from tests.gates.suite_cases import Case, cases, cells, failed_by
from tests.layouts.layout_reader import refusal
from tests.sources.workbooks import changed_workbook, staged
from tests.support import FIXTURES, REAL_FILES, REAL_FILES_MORE, rows

MADE_UP = FIXTURES / "landing_made_up" / "ons_services_by_partner" / "2021-07-12"
WORKBOOK = MADE_UP / "made_up_servicetypebycountry.xlsx"
REAL = REAL_FILES / "ons_services_by_partner" / "2021-07-12"
TABLE = "raw.ons_services_by_partner__observations"
CONFORMED = "intermediate.int_ons_services_by_partner__observations"
STAGED = "staging.stg_ons_services_by_partner__observations"


NEXT = date(2022, 1, 28)
REAL_CSV = REAL_FILES_MORE / SOURCE.name / str(NEXT) / "servicetypebycountrydataset.csv"


def load(folder: Path, *files: Path, release: date = date(2021, 7, 12)) -> tuple[Path, LoadResult]:
    """Load a release into its own workbench."""
    settings = Settings(warehouse_dir=folder)
    with open_workbench(settings) as con:
        loaded = load_release(con, SOURCE, Release(SOURCE.name, release, files))
    return settings.workbench, loaded


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    return load(tmp_path_factory.mktemp("made_up"), WORKBOOK)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    if not REAL.is_dir():
        pytest.skip("the publisher's files are not part of the repository")
    return load(tmp_path_factory.mktemp("real"), *sorted(REAL.iterdir()))


@pytest.fixture(scope="module")
def made_up_csv(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    """The made-up workbook's sheet as CSV, as an edition in which B5 is the EU27."""
    folder = tmp_path_factory.mktemp("made_up_csv")
    return load(folder, time_series_as_csv(folder / "made_up.csv"), release=NEXT)


@pytest.fixture(scope="module")
def real_csv(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    if not REAL_CSV.is_file():
        pytest.skip("the publishers' files are not part of the repository")
    return load(tmp_path_factory.mktemp("real_csv"), REAL_CSV, release=NEXT)


def time_series_as_csv(path: Path, **renamed: str) -> Path:
    """Write the made-up workbook's sheet as CSV, with B5 the EU27 and headers renamed."""
    rows = CalamineWorkbook.from_path(WORKBOOK).get_sheet_by_name("Time Series").to_python()
    lines = [
        [
            str(int(cell) if isinstance(cell, float) else cell).replace("EU28", "EU27")
            for cell in row
        ]
        for row in rows
    ]
    lines[0] = [renamed.get(header, header) for header in lines[0]]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    return path


def cell(database: Path, direction: str, country_code: str, period: str) -> tuple:
    """The one cell of a partner, with its address."""
    with duckdb.connect(database, read_only=True) as con:
        (found,) = con.execute(
            f"select value, _sheet, _row, _column from {TABLE}"
            " where direction = $1 and country_code = $2 and period = $3",
            [direction, country_code, period],
        ).fetchall()
    return found


def test_only_the_service_type_is_kept_and_the_rest_is_counted(
    made_up: tuple[Path, LoadResult],
) -> None:
    _, loaded = made_up
    # 2 directions x 6 partners x (2 years + 8 quarters)
    assert loaded.rows == {"ons_services_by_partner__observations": 120}
    # 2 rows of the note, the header, 1 + 6 + 1 + 6 + 1 service types by partner
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(18, 12)]


def test_cells_are_kept_as_written_with_their_address(made_up: tuple[Path, LoadResult]) -> None:
    database, _ = made_up
    assert cell(database, "Exports", "W1", "2019") == ("100", "Time Series", 8, "F")
    assert cell(database, "Exports", "CN", "2019") == ("..", "Time Series", 4, "F")
    assert cell(database, "Exports", "CN", "2020Q4") == ("1", "Time Series", 4, "O")
    assert cell(database, "Imports", "CN", "2020") == ("0", "Time Series", 11, "G")


@pytest.mark.parametrize(
    ("sheet", "address", "value", "expected"),
    [
        ("Time Series", "A1", "Flow", "'Direction'"),
        ("Time Series", "D1", "Area code", "'Country code'"),
        ("Time Series", "G1", "2020 (provisional)", "'a year or a quarter'"),
        ("Time Series", "O1", "2020Q5", "'a year or a quarter'"),
        ("Time Series", "C4", "Charges for intellectual property", "'Intellectual property'"),
        ("Note", "A3", "All data is in £ thousands", "'All data is in £millions'"),
    ],
)
def test_a_renamed_label_is_named_with_sheet_and_cell(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    sheet: str,
    address: str,
    value: str,
    expected: str,
) -> None:
    path = changed_workbook(WORKBOOK, tmp_path, {(sheet, address): value})
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "a label that was moved or renamed"
    assert problem.where.startswith(f"{path.name}, sheet '{sheet}', cell ")
    assert problem.expected == expected
    if not problem.found.startswith("'no such label"):
        assert problem.where.endswith(f"cell {address}")
        assert problem.found == repr(value)


def test_a_code_renamed_in_every_row_is_named(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    cells: dict[tuple[str, str], object] = {
        ("Time Series", f"B{row}"): "SH" for row in [*range(3, 9), *range(10, 16)]
    }
    problem = refusal(con, changed_workbook(WORKBOOK, tmp_path, cells), SOURCE.layouts)
    assert problem.where.endswith("sheet 'Time Series', cell B2")
    assert problem.expected == "'8'"


def test_a_renamed_sheet_is_an_unknown_layout(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed_workbook(WORKBOOK, tmp_path, {}, rename=("Time Series", "Series"))
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what == "unknown layout"
    assert problem.found == "no sheet 'Time Series' among 'Note', 'Series'"


def test_the_gate_accepts_the_made_up_release(made_up: tuple[Path, LoadResult]) -> None:
    database, _ = made_up
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}


LABEL = (
    "the label of an area says what economy_code_map says for this release:"
    " B5 the EU28 or the EU27, W1 the world"
)


def test_the_csv_holds_the_cells_of_the_sheet(
    made_up: tuple[Path, LoadResult], made_up_csv: tuple[Path, LoadResult]
) -> None:
    query = f"select direction, country_code, period, value, _row from {TABLE} order by all"
    of_workbook, of_csv = (rows(database, query) for database, _ in (made_up, made_up_csv))
    assert of_csv == of_workbook != []
    # Without the note and the header, which are rows of the workbook.
    assert [(file.rows_read, file.rows_kept) for file in made_up_csv[1].files] == [(15, 12)]
    assert cell(made_up_csv[0], "Exports", "W1", "2019") == ("100", None, 8, "2019")


def test_the_gate_accepts_the_made_up_csv(made_up_csv: tuple[Path, LoadResult]) -> None:
    database, _ = made_up_csv
    assert failed_by(database, TABLE, f"select * from {TABLE}", release=NEXT) == {}


@pytest.mark.parametrize(
    ("header", "found", "says"),
    [
        ("Country code", "Area code", "'Area code' instead of 'Country code'"),
        ("2020", "2020 (provisional)", "'2020 (provisional)', and '"),
        ("2020Q4", "2020Q5", "'2020Q5', and '"),
    ],
)
def test_a_renamed_header_of_the_csv_is_named(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, header: str, found: str, says: str
) -> None:
    path = time_series_as_csv(tmp_path / "made_up.csv", **{header: found})
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.what in (
        "unknown layout",
        "figures under an unknown header",
    )
    assert says in problem.found


@pytest.mark.parametrize(
    ("release", "label", "row_to_add"),
    [
        # The map says EU28, the label EU27: the new row ends where the one that knows EU27 begins.
        ("2021-10-27", "Total EU27", "B5,EU27,EU27,2021-10-27,2022-01-28,"),
        ("2022-04-27", "Total EU28", "B5,EU28,EU28,2022-04-27,,"),  # and the reverse
        ("2022-04-27", "Total EU26", "B5,<its economy>,<text of the label>,2022-04-27,,"),
    ],
)
def test_a_label_that_contradicts_the_map_says_which_row_to_add(
    made_up: tuple[Path, LoadResult], release: str, label: str, row_to_add: str
) -> None:
    query = (
        f"select * replace (date '{release}' as _release,"
        f" case when country_code = 'B5' then '{label}' else country end as country) from {TABLE}"
    )
    failed = failed_by(made_up[0], TABLE, query, release=date.fromisoformat(release))
    assert failed.keys() == {LABEL}
    first, *_ = failed[LABEL]["failing_rows"]
    assert first["row_to_add"] == f"{SOURCE.name},{row_to_add}"
    assert first["mapped_to"] == ("EU28" if release < str(NEXT) else "EU27")
    assert "dbt/seeds/economy_code_map.csv" in failed[LABEL]["fix"]
    # Each field of the row has its place in the seed.
    assert len(first["row_to_add"].split(",")) == len(seed("economy_code_map")[0])


def with_value(column: str, where: str, value: str) -> str:
    return (
        f"select * replace (case when {where} then {value} else {column} end as {column})"
        f" from {TABLE}"
    )


CASES = cases(
    TABLE,
    {
        # Namibia: text, not a missing value; no code of this source.
        "country_code is in": with_value("country_code", "country_code = 'PB1'", "'NA'"),
        "the label of an area": [
            with_value("country", "country_code = 'B5'", "'Total EU27'"),
            with_value("country", "country_code = 'B5'", "'Total EU26'"),
            with_value("country", "country_code = 'B5'", "null"),
            with_value("country", "country_code = 'W1'", "'Rest of World'"),
        ],
        "service type 8": [
            with_value("service_type", "country_code = 'US'", "'Financial'"),
            with_value("service_type", "country_code = 'US'", "null"),
        ],
        "direction is": with_value(
            "direction", "country_code = 'PB1' and direction = 'Imports'", "'Balance'"
        ),
        "the release has both": f"select * from {TABLE} where direction = 'Exports'",
        "a cell holds": [with_value("value", "value = '100'", v) for v in ("'1 00'", "'#REF!'")],
        "a mark is": with_value("value", "value = '..'", "'[w]'"),
        "a figure is a whole": [
            with_value("value", "value = '100'", v) for v in ("'1.00'", "null")
        ],
        "one figure": f"select * from {TABLE} union all select * from {TABLE}",
        "a year that is over": f"select * from {TABLE} where period <> '2019Q3'",
        "at least a third": with_value("value", "country_code <> 'W1'", "'..'"),
        "no figure has": with_value(
            "period", "period >= '2020'", "replace(period, '2020', '2021')"
        ),
    },
)
CASES += [
    Case(
        STAGED,
        about,
        cells(STAGED, f"period = '2019' and area_code = '{area}'", value=value),
        also=also,
    )
    for about, area, value, also in (
        ("a figure lies", "US", "-1001", ("four quarters",)),
        ("the world is stated", "D5", "value + 9", ("four quarters",)),
        ("countries and residual", "US", "999", ("four quarters",)),
        ("four quarters", "US", "value - 9", ()),
    )
]
CASES += cases(CONFORMED, {"a cell is a figure": cells(CONFORMED, "conf_status = 'C'", value="0")})


def test_an_unfinished_last_year_passes(made_up: tuple[Path, LoadResult]) -> None:
    database, _ = made_up
    query = f"select * from {TABLE} where period not in ('2020', '2020Q2', '2020Q3', '2020Q4')"
    assert failed_by(database, TABLE, query) == {}


@pytest.mark.parametrize(
    ("direction", "country_code", "period", "value"),
    [
        ("Exports", "W1", "2019", "19098"),
        ("Exports", "US", "2020", "3767"),
        ("Exports", "CN", "2019", ".."),
        ("Exports", "W1", "2020Q4", "4577"),
        ("Imports", "W1", "2019", "13759"),
    ],
)
def test_real_figures(
    real: tuple[Path, LoadResult], direction: str, country_code: str, period: str, value: str
) -> None:
    database, _ = real
    assert cell(database, direction, country_code, period)[0] == value


def test_the_real_release_passes_the_gate(real: tuple[Path, LoadResult]) -> None:
    database, loaded = real
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(7808, 166)]
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}


@pytest.mark.parametrize(
    ("direction", "country_code", "period", "value"),
    [
        ("Exports", "W1", "2019", "20638"),
        ("Exports", "W1", "2020", "18618"),
        ("Exports", "US", "2020", "3824"),
        ("Exports", "B5", "2019", "6775"),
        ("Exports", "W1", "2021Q3", "4587"),
        ("Imports", "W1", "2019", "13700"),
    ],
)
def test_real_figures_of_the_csv(
    real_csv: tuple[Path, LoadResult], direction: str, country_code: str, period: str, value: str
) -> None:
    database, _ = real_csv
    assert cell(database, direction, country_code, period)[0] == value


def test_the_real_csv_passes_the_gate(
    real: tuple[Path, LoadResult], real_csv: tuple[Path, LoadResult]
) -> None:
    database, loaded = real_csv
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(7802, 166)]
    with duckdb.connect(database) as con:  # a table beside it: both editions side by side
        con.execute(f"attach '{real[0]}' as before (read_only)")
        con.execute(f"create or replace table raw.edition_before as from before.{TABLE}")
    query, before = f"select * from {TABLE}", "select * from raw.edition_before"
    assert failed_by(database, TABLE, query, before, NEXT) == {}


def test_every_cell_of_the_real_csv_is_read(real_csv: tuple[Path, LoadResult]) -> None:
    with REAL_CSV.open(encoding="utf-8", newline="") as file:
        expected = sorted(
            (line["Direction"], line["Country code"], line["Country"], period, cell)
            for line in csv.DictReader(file)
            if line["Service type code"] == "8"
            for period, cell in list(line.items())[5:]
        )
    found = rows(
        real_csv[0], f"select direction, country_code, country, period, value from {TABLE}"
    )
    assert sorted(found) == expected
    assert len(found) == 166 * 28


ROWS = {
    ("W1", "2019"): 100,
    ("B5", "2019"): 40,
    ("D5", "2019"): 60,
    ("US", "2019"): 35,
    ("PB1", "2019"): None,
    ("W1", "2019-Q1"): 25,
    ("W1", "2019-Q2"): 25,
    ("W1", "2019-Q3"): 25,
    ("W1", "2019-Q4"): 25,
}


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        ({}, ""),
        ({("B5", "2019"): 41, ("W1", "2019-Q1"): 27}, ""),  # rounding
        ({("B5", "2019"): 42}, "the world is stated"),
        ({("W1", "2019-Q1"): None}, "the world is stated"),
        ({("PB1", "2019"): 66}, ""),  # 35 + 66 = 101: three numbers, each rounded by up to 0.5
        ({("PB1", "2019"): 67}, "countries and residual areas"),
        ({("W1", "2019-Q1"): 28}, "four quarters make the year"),
        ({("US", "2019"): -1001}, "a figure lies between"),
    ],
)
def test_checks_of_an_economist(
    made_up: tuple[Path, LoadResult], changes: dict[tuple[str, str], int | None], fails: str
) -> None:
    query = staged(
        "area_code, flow, period, value, rounding",
        *(
            (area, "receipts", period, value, 1)
            for (area, period), value in {**ROWS, **changes}.items()
        ),
    )
    failed = failed_by(made_up[0], STAGED, query)
    assert [about.startswith(fails) for about in failed] == [True] * bool(fails)
