import csv
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_project import layouts
from dagster_project.errors import BadInput
from dagster_project.layouts import CsvLayout, Extract, JsonLayout, RawTable, ZippedLayout, layout_of
from dagster_project.sources import all_sources
from tests.support import BARE, BULK, COUNTRIES, INDICATORS, TEXT

WORLD_BANK = all_sources()["worldbank_wdi"].layouts
TEXTS = all_sources()["published_figures"].layouts

things = RawTable("made_up__things", ("code", "name", "note"))
THINGS = JsonLayout("made-up things", things, "things", ("code", "name"))

rates = RawTable("made_up__rates", ("date",), by_cell=True)
ZIPPED = ZippedLayout(
    CsvLayout("made-up rates", rates, 1, ("Date",), re.compile("[A-Z]{3}"), trailing_empty=True),
    member=re.compile(r"made_up\.csv"),
)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def changed(tmp_path: Path, good: Path, old: bytes, new: bytes) -> Path:
    """A copy of a good file in which one thing is different."""
    content = good.read_bytes()
    assert old in content
    path = tmp_path / good.name
    path.write_bytes(content.replace(old, new, 1))
    return path


def cell_in_file(path: Path, row: int, header: str, header_row: int) -> str:
    """What stands in a record and column of a CSV file, counted as a person would."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        records = list(csv.reader(file))
    return records[row - 1][records[header_row - 1].index(header)]


def read(con: duckdb.DuckDBPyConnection, path: Path, of: tuple = WORLD_BANK) -> Extract:
    return layout_of(path, of).read(con, path)


# What is read


@pytest.mark.parametrize(("path", "header_row"), [(BULK, 5), (BARE, 1)])
def test_every_cell_is_read_as_it_stands_in_the_file(
    con: duckdb.DuckDBPyConnection, path: Path, header_row: int
) -> None:
    cells = read(con, path).rows.select('_row, "_column", "value"').fetchall()
    assert len(cells) == len(set(cells)) > 20
    for row, column, value in cells:
        assert (value or "") == cell_in_file(path, row, column, header_row)


def test_a_row_without_figures_is_kept_with_its_empty_cells(con: duckdb.DuckDBPyConnection) -> None:
    namibia = read(con, BARE).rows.filter("country_code = 'NAM'")
    assert namibia.select('"_column", "value"').fetchall() == [
        ("2012", None),
        ("2013", None),
        ("2014", "2900000"),
    ]


def test_other_indicators_are_counted_and_left_out(con: duckdb.DuckDBPyConnection) -> None:
    extract = read(con, BULK)
    assert (extract.rows_read, extract.rows_kept) == (18, 12)
    kept = extract.rows.aggregate("list_sort(list(distinct indicator_code))").fetchall()
    assert kept == [(["BM.GSR.ROYL.CD", "BX.GSR.ROYL.CD"],)]


def test_the_byte_order_mark_is_not_part_of_the_first_header(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert COUNTRIES.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read(con, COUNTRIES).rows.columns[0] == "country_code"


@pytest.mark.parametrize(("path", "column"), [(COUNTRIES, 3), (INDICATORS, 2)])
def test_a_note_of_several_lines_is_one_cell_and_rows_are_counted_as_records(
    con: duckdb.DuckDBPyConnection, path: Path, column: int
) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        records = list(csv.reader(file))
    assert any("\n" in record[column] for record in records)
    assert [row[column] or "" for row in read(con, path).rows.fetchall()] == [
        record[column] for record in records[1:]
    ]
    assert [row[-1] for row in read_again(con, path).fetchall()] == list(
        range(2, len(records) + 1)
    )


def read_again(con: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyRelation:
    con.execute("drop table incoming")
    return read(con, path).rows


def test_records_of_a_text_keep_commas_and_quotes(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, TEXT, b"A made-up text", b'"A ""made-up"" text, 2018"')
    assert read(con, path, TEXTS).rows.fetchone()[1] == 'A "made-up" text, 2018'  # type: ignore[index]


def test_each_file_of_the_world_bank_is_of_its_own_layout() -> None:
    tables = [layout_of(path, WORLD_BANK).name for path in (BULK, BARE, COUNTRIES, INDICATORS)]
    assert tables == [layout.name for layout in WORLD_BANK]


def test_json_records_become_rows_and_absent_fields_null(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "made_up.json"
    path.write_text(
        json.dumps({"things": [{"code": "NA", "name": "Ñandú"}, {"code": "B", "name": "b", "note": "n"}]})
    )
    extract = read(con, path, (THINGS,))
    assert extract.rows.fetchall() == [
        ("NA", "Ñandú", None, None, 1),
        ("B", "b", "n", None, 2),
    ]
    assert (extract.rows_read, extract.rows_kept) == (2, 2)


def zip_of(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return path


def test_a_zipped_file_is_read_like_a_plain_one(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = zip_of(
        tmp_path / "made_up.zip",
        readme__txt="made up",
        made_up__csv="Date,USD,JPY,\n2020-01-02,1.1,N/A,\n2020-01-03,1.2,,\n",
    )
    assert read(con, path, (ZIPPED,)).rows.fetchall() == [
        ("2020-01-02", "USD", "1.1", None, 2),
        ("2020-01-02", "JPY", "N/A", None, 2),
        ("2020-01-03", "USD", "1.2", None, 3),
        ("2020-01-03", "JPY", None, None, 3),
    ]


# What is refused: with one message that says what, where, what was expected and found, what to do


def refusal(con: duckdb.DuckDBPyConnection, path: Path, of: tuple = WORLD_BANK) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(con, path, of)
    problem = caught.value
    assert path.name in problem.where
    assert all((problem.what, problem.expected, problem.found, problem.fix))
    assert "\n" not in str(problem)
    return problem


def test_a_renamed_header_is_named_with_its_column(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    problem = refusal(con, changed(tmp_path, BULK, b"Country Code", b"Economy Code"))
    assert problem.what == "unknown layout"
    assert problem.expected == "World Bank bulk download, data file"
    assert problem.found == "row 5, column 2: 'Economy Code' instead of 'Country Code'"


def test_a_missing_column_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed(tmp_path, COUNTRIES, b',"TableName",', b"")
    assert refusal(con, path).found == "row 1: 4 columns, without 'TableName'"


def test_a_missing_column_in_the_middle_is_named(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, TEXT, b",partner,", b",")
    assert "column 7: 'sector' instead of 'partner'" in refusal(con, path, TEXTS).found


def test_a_further_column_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed(tmp_path, TEXT, b",note\n", b",note,remark\n")
    assert refusal(con, path, TEXTS).found == "row 1: further columns ['remark']"


def test_a_strange_year_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed(tmp_path, BARE, b",2013,", b",2013 (estimate),")
    assert refusal(con, path).found == "row 1: column headers ['2013 (estimate)']"


def test_a_year_that_occurs_twice_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, BARE, b",2013,", b",2012,")
    assert refusal(con, path).found == "row 1: a column header that occurs twice"


def test_a_table_without_years_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed(tmp_path, BARE, b",2012,2013,2014", b"")
    assert "without any data column" in refusal(con, path).found


@pytest.mark.parametrize("start", [b"<!DOCTYPE html>\n", b"\n  <html lang='en'>", b"<?xml version='1.0'?>"])
def test_a_web_page_saved_as_csv_is_recognized(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, start: bytes
) -> None:
    path = tmp_path / "made_up.csv"
    path.write_bytes(start + b"<title>503 Service Unavailable</title>")
    assert refusal(con, path).found == "an HTML or XML page"


def test_an_empty_file_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "made_up.csv"
    path.touch()
    problem = refusal(con, path)
    assert (problem.what, problem.found) == ("empty file", "0 bytes")


def test_a_file_with_only_blank_lines_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "made_up.csv"
    path.write_text("\n\n")
    assert refusal(con, path).what == "unknown layout"


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / BARE.name
    path.write_bytes(BARE.read_text().replace("Namibia", "Côte d'Ivoire").encode(encoding))
    assert "not UTF-8" in refusal(con, path).found


def test_bytes_of_another_encoding_far_down_are_refused_with_their_line(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    record = BARE.read_bytes().splitlines(keepends=True)[1]
    path = tmp_path / "made_up.csv"
    path.write_bytes(BARE.read_bytes() + record * 20_000 + record.replace(b"China", b"C\xf4te"))
    problem = refusal(con, path)
    assert problem.where.startswith("made_up.csv, line 20")
    assert re.search("utf-8|unicode", problem.found, re.IGNORECASE)


def test_a_file_that_breaks_off_within_quotes_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = COUNTRIES.read_bytes()
    path = tmp_path / COUNTRIES.name
    path.write_bytes(content[: content.index(b"of two lines")])
    problem = refusal(con, path)
    assert "breaks off" in problem.what
    assert "unterminated quote" in problem.found


def test_a_file_that_breaks_off_within_a_record_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = BARE.read_bytes()
    path = tmp_path / BARE.name
    path.write_bytes(content[: content.index(b"Japan") + 20])
    problem = refusal(con, path)
    assert problem.where == f"{BARE.name}, line 5"


@pytest.mark.parametrize(("cells", "found"), [(b"1,2", "6"), (b"1,2,3,4", "8")])
def test_a_ragged_record_is_refused_with_its_line(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, cells: bytes, found: str
) -> None:
    path = changed(tmp_path, BARE, b"31900000000,31600000000,36800000000", cells)
    problem = refusal(con, path)
    assert problem.where == f"{BARE.name}, line 5"
    assert problem.found.startswith(f"Expected Number of Columns: 7 Found: {found}")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"things": [{"code": "A", "name"', "text that is not JSON (line 1"),
        ('{"people": []}', "no list 'things'"),
        ('{"things": []}', "no list 'things'"),
        ('["things"]', "no list 'things'"),
        ('{"things": [{"code": "A", "name": "a"}, {"code": "B"}]}', "record 2 without name"),
    ],
)
def test_json_that_is_not_the_layout_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, content: str, found: str
) -> None:
    path = tmp_path / "made_up.json"
    path.write_text(content)
    assert found in refusal(con, path, (THINGS,)).found


def test_an_archive_without_the_member_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = zip_of(tmp_path / "made_up.zip", other__csv="Date,USD,\n")
    assert "an archive with 0 members called" in refusal(con, path, (ZIPPED,)).found


def test_a_file_that_is_no_archive_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "made_up.zip"
    path.write_text("Date,USD,\n")
    assert refusal(con, path, (ZIPPED,)).found == "a file that is not a zip archive"


def test_a_member_that_claims_to_be_too_large_is_not_unpacked(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layouts, "MAX_MEMBER_BYTES", 1000)
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n" + "2020-01-02,1.1,\n" * 100)
    assert "a member of 1,610 bytes" in refusal(con, path, (ZIPPED,)).found


def test_a_member_larger_than_it_claims_is_not_unpacked_beyond_the_limit(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layouts, "MAX_MEMBER_BYTES", 1000)
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n" + "2020-01-02,1.1,\n" * 100)
    size, lie = (1610).to_bytes(4, "little"), (900).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, lie))
    assert "an archive with" in refusal(con, path, (ZIPPED,)).found


def test_a_damaged_archive_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n" + "2020-01-02,1.1,\n" * 100)
    content = bytearray(path.read_bytes())
    content[50] ^= 0xFF
    path.write_bytes(content)
    assert "an archive with" in refusal(con, path, (ZIPPED,)).found


def test_an_encrypted_archive_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n")
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the member's own header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the archive's directory
    path.write_bytes(content)
    assert "encrypted" in refusal(con, path, (ZIPPED,)).found


def test_the_complaint_is_that_of_the_nearest_layout(tmp_path: Path) -> None:
    path = changed(tmp_path, INDICATORS, b"SOURCE_NOTE", b"NOTE")
    with pytest.raises(BadInput, match="indicator metadata"):
        layout_of(path, WORLD_BANK)
