"""The forms in which World Development Indicators circulate, and the companions of the data."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pytest
from openpyxl import Workbook as Written

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.gates.explain import explain
from dagster_project.gates.release_gate import gate_release
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.sources.source import Release
from dagster_project.sources.worldbank_wdi import SOURCE
from dagster_project.workbench.connection import open_workbench
from dagster_project.workbench.ledger_schema import create_ledger
from dagster_project.workbench.releases import file_entries, set_release_status
from tests.layouts.layout_reader import refusal
from tests.support import BULK, COUNTRIES, INDICATORS, REAL_FILES

DAY = date(2021, 9, 15)
ONE_COUNTRY = PROJECT_ROOT.parent / "shared" / "landing-more" / "worldbank_wdi" / "2022-12-22"
RECEIPTS = "Charges for the use of intellectual property, receipts (BoP, current US$)"
PAYMENTS = "Charges for the use of intellectual property, payments (BoP, current US$)"
LABELS = [
    ("Japan", "JPN", RECEIPTS, "BX.GSR.ROYL.CD"),
    ("Japan", "JPN", PAYMENTS, "BM.GSR.ROYL.CD"),
    ("Korea, Rep.", "KOR", RECEIPTS, "BX.GSR.ROYL.CD"),
    ("Korea, Rep.", "KOR", PAYMENTS, "BM.GSR.ROYL.CD"),
    ("Korea, Rep.", "KOR", "Population, total", "SP.POP.TOTL"),
]
FIGURES = [
    ("36500000000", "39000000000.5"),
    ("17100000000", ""),
    ("", "6900000000"),
    ("", ""),
    ("51", "52"),
]
YEARS = ("2015", "2016")
EXPECTED = sorted(
    (*labels, year, value or None)
    for labels, values in zip(LABELS, FIGURES, strict=True)
    for year, value in zip(YEARS, values, strict=True)
    if labels[3] != "SP.POP.TOTL"
)
FOOTER = [[], [], [], ["Data from database: World Development Indicators"]]
FOOTER += [["Last Updated: 12/22/2022"]]

Records = list[list[str]]


def written(records: Records, *, mark: bool = False, quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=quoting).writerows(records)  # type: ignore[arg-type]
    return text.getvalue().encode("utf-8-sig" if mark else "utf-8")


def wide(labels: tuple[str, ...], end: str | None = None) -> Records:
    """The table with a column per year, in the publisher's own files."""
    after = [] if end is None else [end]
    records = [[*labels, *YEARS, *after]]
    return records + [[*one, *two, *after] for one, two in zip(LABELS, FIGURES, strict=True)]


INDICATOR = ("Country Name", "Country Code", "Indicator Name", "Indicator Code")
PREAMBLE: Records = [
    ["Data Source", "World Development Indicators", ""],
    [],
    ["Last Updated Date", "2022-12-22", ""],
    [],
]


def by_series(order: tuple[int, ...] = (0, 1, 2, 3)) -> Records:
    """An export of DataBank with a column per year."""
    names = ("Country Name", "Country Code", "Series Name", "Series Code")
    records = [[*(names[at] for at in order), *(f"{year} [YR{year}]" for year in YEARS)]]
    for one, two in zip(LABELS, FIGURES, strict=True):
        records.append([*(one[at] for at in order), *(value or ".." for value in two)])
    return records


def by_time() -> Records:
    """An export of DataBank with a column per series."""
    series = [(RECEIPTS, "BX.GSR.ROYL.CD"), (PAYMENTS, "BM.GSR.ROYL.CD")]
    records = [["Time", "Time Code", "Country Name", "Country Code"]]
    records[0] += [
        "Population, total [SP.POP.TOTL]",
        *(f"{name} [{code}]" for name, code in series),
    ]
    found = {(*one[:2], one[3]): two for one, two in zip(LABELS, FIGURES, strict=True)}
    for at, year in enumerate(YEARS):
        for country in (("Japan", "JPN"), ("Korea, Rep.", "KOR")):
            cells = [found.get((*country, code), ("", ""))[at] or ".." for _, code in series]
            records.append([year, f"YR{year}", *country, "51", *cells])
    return records


def spaced(records: Records) -> Records:
    return [[f"{cell} " for cell in record] for record in records]


def padded(records: Records) -> Records:
    return [[*record, *[""] * (len(records[0]) - len(record))] for record in records]


def book(records: Records, *, addresses: bool = False) -> bytes:
    """A workbook as DataBank writes it: figures are numbers, and cells have no addresses."""
    made = Written()
    assert made.active is not None
    made.active.title = "Data"
    for record in records:
        made.active.append(
            [float(cell) if re.fullmatch(r"[\d.]*\d[\d.]*", cell) else cell for cell in record]
        )
    made.create_sheet("Series - Metadata").append(["Code", "License Type", "Indicator Name"])
    buffer = io.BytesIO()
    made.save(buffer)
    if addresses:
        return buffer.getvalue()
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = re.sub(rb' r="[A-Z]*[0-9]+"', b"", members[sheet])
    return zipped(members)


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


WDI_COMPANIONS = {
    "WDICountry.csv": b'"Country Code","Short Name","Table Name"\n"JPN","Japan","Japan"\n',
    "WDISeries.csv": b'"Series Code","Topic","Indicator Name"\n"SP.POP.TOTL","Health","People"\n',
    "WDIcountry-series.csv": b'"CountryCode","SeriesCode","DESCRIPTION"\n"JPN","SP.POP.TOTL","x"\n',
    "WDIseries-time.csv": b'"SeriesCode","Year","DESCRIPTION"\n"SP.POP.TOTL","YR2015","x"\n',
    "WDIfootnote.csv": b"CountryCode,SeriesCode,Year,DESCRIPTION\nJPN,SP.POP.TOTL,YR2015,x\n",
}
DOWNLOAD = written([*PREAMBLE, *wide(INDICATOR, "")], mark=True, quoting=csv.QUOTE_ALL)
SERIES_METADATA = b"Code,Indicator Name,Long definition,Source\nSP.POP.TOTL,People,x,y\n"

FORMS: dict[str, dict[str, bytes]] = {
    "download": {"API_JPN_DS2_en_csv_v2_1.csv": DOWNLOAD},
    "download, zipped": {
        "API_JPN_DS2_en_csv_v2_1.zip": zipped(
            {
                "Metadata_Indicator_API_JPN_DS2_en_csv_v2_1.csv": INDICATORS.read_bytes(),
                "API_JPN_DS2_en_csv_v2_1.csv": DOWNLOAD,
                "Metadata_Country_API_JPN_DS2_en_csv_v2_1.csv": COUNTRIES.read_bytes(),
            }
        )
    },
    "download, saved by a spreadsheet": {
        "saved.csv": written(padded([*PREAMBLE, *wide(INDICATOR)]))
    },
    "one indicator": {"receipts.csv": written(wide(INDICATOR))},
    "WDIData.csv": {"WDIData.csv": written(wide(INDICATOR, ""), quoting=csv.QUOTE_ALL)},
    "WDICSV.csv": {"WDICSV.csv": written(wide(INDICATOR))},
    "WDI_CSV.zip": {
        "WDI_CSV.zip": zipped({"WDICSV.csv": written(wide(INDICATOR)), **WDI_COMPANIONS})
    },
    "WDI_CSV.zip, unpacked": {"WDICSV.csv": written(wide(INDICATOR)), **WDI_COMPANIONS},
    "DataBank, by series": {"a_Data.csv": written(padded(by_series() + FOOTER), mark=True)},
    "DataBank, by series first": {
        "a_Data.csv": written(padded(by_series((2, 3, 0, 1)) + FOOTER), quoting=csv.QUOTE_ALL)
    },
    "DataBank, footer not padded": {"a_Data.csv": written(by_series() + FOOTER)},
    "DataBank, without footer": {"a_Data.csv": written(by_series())},
    "DataBank, years only": {
        "a_Data.csv": written([[name.split(" [")[0] for name in by_series()[0]], *by_series()[1:]])
    },
    "DataBank, by series, blanks after names": {"a_Data.csv": written(spaced(by_series()))},
    "DataBank, by time, blanks after names": {"a_Data.csv": written(spaced(by_time()))},
    "DataBank, by time": {"a_Data.csv": written(padded(by_time() + FOOTER), mark=True)},
    "DataBank, CSV and its metadata": {
        "a_Data.csv": written(padded(by_time() + FOOTER)),
        "a_Series - Metadata.csv": SERIES_METADATA,
    },
    "DataBank, zipped": {
        "P_Data_Extract.zip": zipped(
            {
                "a_Series - Metadata.csv": SERIES_METADATA,
                "a_Data.csv": written(by_series() + FOOTER),
            }
        )
    },
    "DataBank, workbook by series": {"P_Data_Extract.xlsx": book(by_series() + FOOTER)},
    "DataBank, workbook by time": {"P_Data_Extract.xlsx": book(by_time() + FOOTER)},
    "DataBank, workbook saved again": {
        "P_Data_Extract.xlsx": book(by_series((2, 3, 0, 1)), addresses=True)
    },
}


def landed(folder: Path, files: dict[str, bytes], day: date = DAY) -> Release:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Release(SOURCE.name, day, tuple(sorted(folder.iterdir())))


@pytest.fixture
def workbench(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    create_ledger(con)
    return con


def cells(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    """The cells as staging takes them."""
    return con.execute(
        "select country_name, country_code, indicator_name, indicator_code, left(_column, 4),"
        " nullif(value, '..') from raw.worldbank_wdi__observations order by all"
    ).fetchall()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_fills_the_same_table(
    workbench: duckdb.DuckDBPyConnection, tmp_path: Path, form: str
) -> None:
    load_release(workbench, SOURCE, landed(tmp_path / "landed", FORMS[form]))
    assert cells(workbench) == sorted(EXPECTED, key=lambda row: (*row[:5], row[5] or ""))


def test_cells_keep_their_place(workbench: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    place = (
        "select _sheet, _row, _column, value from raw.worldbank_wdi__observations"
        " where country_code = 'KOR' order by indicator_code desc, _column"
    )
    load_release(workbench, SOURCE, landed(tmp_path / "a", FORMS["DataBank, workbook by series"]))
    assert workbench.execute(place).fetchall() == [
        ("Data", 4, "2015 [YR2015]", ".."),
        ("Data", 4, "2016 [YR2016]", "6900000000"),
        ("Data", 5, "2015 [YR2015]", ".."),
        ("Data", 5, "2016 [YR2016]", ".."),
    ]
    workbench.execute("delete from raw.worldbank_wdi__observations")
    load_release(workbench, SOURCE, landed(tmp_path / "b", FORMS["DataBank, by time"]))
    assert workbench.execute(place).fetchall() == [
        (None, 3, f"2015 {RECEIPTS} [BX.GSR.ROYL.CD]", ".."),
        (None, 5, f"2016 {RECEIPTS} [BX.GSR.ROYL.CD]", "6900000000"),
        (None, 3, f"2015 {PAYMENTS} [BM.GSR.ROYL.CD]", ".."),
        (None, 5, f"2016 {PAYMENTS} [BM.GSR.ROYL.CD]", ".."),
    ]


def test_figures_that_a_spreadsheet_rounded_are_kept_as_they_are(
    workbench: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    saved = FORMS["download, saved by a spreadsheet"]["saved.csv"]
    content = saved.replace(b"36500000000", b"3.65E+10")
    assert content != saved
    load_release(workbench, SOURCE, landed(tmp_path / "landed", {"saved.csv": content}))
    assert ("Japan", "JPN", RECEIPTS, "BX.GSR.ROYL.CD", "2015", "3.65E+10") in cells(workbench)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda text: text.replace(",", ";"), "semicolons or tabs between columns"),
        (lambda text: text.replace(",", "\t"), "semicolons or tabs between columns"),
    ],
)
@pytest.mark.parametrize("form", ["one indicator", "DataBank, by series", "DataBank, by time"])
def test_another_delimiter_is_refused_with_what_to_do(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    form: str,
    change: Callable[[str], str],
    found: str,
) -> None:
    ((name, content),) = FORMS[form].items()
    path = tmp_path / name
    path.write_text(change(content.decode("utf-8-sig")))
    problem = refusal(con, path, SOURCE.layouts)
    assert found in problem.found
    assert "save it as 'CSV UTF-8'" in problem.found


@pytest.mark.parametrize(
    ("encoding", "found"), [("utf-16", "UTF-16"), ("cp1252", "bytes that are not UTF-8 (byte ")]
)
def test_another_encoding_is_refused_with_what_to_do(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, encoding: str, found: str
) -> None:
    path = tmp_path / "saved.csv"
    text = FORMS["one indicator"]["receipts.csv"].decode().replace("Japan", "Côte d'Ivoire")
    path.write_bytes(text.encode(encoding))
    problem = refusal(con, path, SOURCE.layouts)
    assert found in problem.found
    assert "save it as 'CSV UTF-8'" in problem.found


def test_a_workbook_with_another_sheet_is_refused_by_its_name(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "a.xlsx"
    made = Written()
    made.save(path)
    assert refusal(con, path, SOURCE.layouts).found == "no sheet 'Data' among 'Sheet'"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"36500000000,39000000000.5", b"36500000000"),  # a record with a field less
        (b"12/22/2022\r\n", b"12/22/20"),  # cut off
        (b"2015 [YR2015],2016 [YR2016]", b"1,2"),
        (b"2016 [YR2016]", b"2016 [YR2017]"),  # a column that would be lost
        (b"2016 [YR2016]", b"2016 [YR20"),
        (b"Series Code", b"Code"),
    ],
)
def test_a_damaged_export_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, old: bytes, new: bytes
) -> None:
    content = written(by_series() + FOOTER)
    assert old in content
    path = tmp_path / "a_Data.csv"
    path.write_bytes(content.replace(old, new, 1))
    refusal(con, path, SOURCE.layouts)


# Companions

DATA = {BULK.name: BULK.read_bytes()}
BROKEN = {
    "empty": b"",
    "garbage": bytes(range(256)) * 4,
    "a page": b"<!DOCTYPE html><title>503</title>",
    "another layout": b"Code,Name\nJPN,Japan\n",
    "a column less": COUNTRIES.read_bytes().replace(b'"IncomeGroup",', b"", 1),
    "a ragged record": COUNTRIES.read_bytes() + b'"JPN"\n',
    "cut off within quotes": COUNTRIES.read_bytes()[:-60],
    "UTF-16": COUNTRIES.read_text("utf-8-sig").encode("utf-16"),
    "a row twice": COUNTRIES.read_bytes() + COUNTRIES.read_bytes().splitlines(True)[-1],
    "a row without its code": COUNTRIES.read_bytes() + b'"","x","y","","z",""\r\n',
    "no record": COUNTRIES.read_bytes()[: COUNTRIES.read_bytes().index(b"\n") + 1],
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_unreadable_companion_does_not_cost_the_data(
    workbench: duckdb.DuckDBPyConnection, tmp_path: Path, broken: str
) -> None:
    files = DATA | {COUNTRIES.name: BROKEN[broken], INDICATORS.name: INDICATORS.read_bytes()}
    loaded = load_release(workbench, SOURCE, landed(tmp_path / "landed", files))
    assert loaded.rows["worldbank_wdi__observations"] > 20
    assert loaded.rows["worldbank_wdi__countries"] == 0
    assert loaded.rows["worldbank_wdi__indicators"] > 0
    reasons = {file.file_name: file.reason or "" for file in loaded.files}
    assert reasons[COUNTRIES.name].startswith("not read, but the data files are: ")
    assert f"where: {COUNTRIES.name}" in reasons[COUNTRIES.name]
    set_release_status(workbench, SOURCE.name, DAY, loaded.files[0].loaded_at, "accepted", None)
    accepted = file_entries(workbench, SOURCE.name, DAY)["accepted"]
    assert {file.file_name: file.reason or "" for file in accepted} == reasons


def test_a_second_copy_of_a_companion_is_left_out(
    workbench: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    copies = {f"{at}{COUNTRIES.name}": COUNTRIES.read_bytes() for at in (1, 2)}
    loaded = load_release(workbench, SOURCE, landed(tmp_path / "landed", DATA | copies))
    assert loaded.rows["worldbank_wdi__countries"] == 6
    reasons = [file.reason for file in loaded.files if file.file_name == f"2{COUNTRIES.name}"]
    assert "one row per country_code" in str(reasons)


@pytest.mark.parametrize("name", [BULK.name, COUNTRIES.name, INDICATORS.name])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"Country Code",', b""),  # a column less
        (b'"BX.GSR.ROYL.CD"', b'"BX.GSR.ROYL.CD'),  # a quote less
        (b'"2013",', b'"2031",'),
    ],
)
def test_a_damaged_data_file_is_refused_whatever_its_name(
    workbench: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, old: bytes, new: bytes
) -> None:
    damaged = BULK.read_bytes().replace(old, new, 1)
    assert damaged != BULK.read_bytes()
    release = landed(tmp_path / "landed", DATA | {f"second_{name}": damaged})
    with pytest.raises(BadInput) as caught:
        load_release(workbench, SOURCE, release)
    assert f"second_{name}" in str(caught.value)


@pytest.mark.parametrize("content", [b"", bytes(range(256)), DOWNLOAD[:40]])
def test_a_file_that_is_not_a_declared_companion_is_refused(
    workbench: duckdb.DuckDBPyConnection, tmp_path: Path, content: bytes
) -> None:
    release = landed(tmp_path / "landed", DATA | {"API_19.csv": content})
    with pytest.raises(BadInput, match=r"API_19\.csv"):
        load_release(workbench, SOURCE, release)


def test_companions_alone_are_not_a_release(
    workbench: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    release = landed(tmp_path / "landed", {COUNTRIES.name: BROKEN["garbage"]})
    with pytest.raises(BadInput, match="a release without its main table"):
        load_release(workbench, SOURCE, release)


# The publisher's own files: a download of one country, and one of all


@contextmanager
def gated(settings: Settings, *folders: Path) -> Iterator[tuple[LoadResult, str]]:
    """Load and gate releases one after the other; return the last load and its gate results."""

    @contextmanager
    def connect() -> Iterator[duckdb.DuckDBPyConnection]:
        with open_workbench(settings) as con:
            yield con

    for folder in folders:
        day = date.fromisoformat(folder.name)
        with connect() as con:
            loaded = load_release(
                con, SOURCE, Release(SOURCE.name, day, tuple(sorted(folder.iterdir())))
            )
        said = explain(gate_release(settings, connect, SOURCE, day, "a run"))
    yield loaded, said


@pytest.fixture(scope="module")
def real() -> tuple[Path, Path]:
    full = REAL_FILES / "worldbank_wdi" / "2021-09-15"
    if not (full.is_dir() and ONE_COUNTRY.is_dir()):
        pytest.skip("the publisher's files are not part of the repository")
    return full, ONE_COUNTRY


def test_a_download_of_one_country_alone_is_accepted(
    tmp_path: Path, real: tuple[Path, Path]
) -> None:
    settings = Settings(warehouse_dir=tmp_path)
    with gated(settings, real[1]) as (loaded, said), open_workbench(settings) as con:
        assert said == ""
        notes = {file.file_name[:16]: file.reason for file in loaded.files}
        assert notes["Metadata_Country"] == (
            "columns in another order: 'Country Code', 'Region', 'IncomeGroup', 'TableName',"
            " 'SpecialNotes'"
        )
        found = con.execute(
            "select indicator_code, _column, value from raw.worldbank_wdi__observations"
            " where country_code = 'USA' and _column in ('2013', '2021') order by all"
        ).fetchall()
    assert found == [
        ("BM.GSR.ROYL.CD", "2013", "35294000000"),
        ("BM.GSR.ROYL.CD", "2021", "43342000000"),
        ("BX.GSR.ROYL.CD", "2013", "113824000000"),
        ("BX.GSR.ROYL.CD", "2021", "124614000000"),
    ]


def test_a_download_of_one_country_beside_all_is_refused_by_coverage(
    tmp_path: Path, real: tuple[Path, Path]
) -> None:
    with gated(Settings(warehouse_dir=tmp_path), *real) as (_, said):
        (line,) = [line for line in said.splitlines() if "economies of the current one" in line]
    assert "coverage '1 of 266 economies: a download of one country'" in line
    assert "what to do: use the download of all economies" in line
