import csv
import re
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.layouts import CsvLayout, RawTable, csv_layout
from tests.layouts.layout_reader import TEXTS, changed, read, refusal
from tests.support import BARE, BULK, COUNTRIES, INDICATORS, ODD_NAMES, TEXT


def cell_in_file(path: Path, row: int, header: str, header_row: int) -> str:
    """The text in a record and column of a CSV file, counted as a person would."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        records = list(csv.reader(file))
    return records[row - 1][records[header_row - 1].index(header)]


# Accepted files


@pytest.mark.parametrize(("path", "header_row"), [(BULK, 5), (BARE, 1)])
def test_every_cell_is_read_as_it_is_in_the_file(
    con: duckdb.DuckDBPyConnection, path: Path, header_row: int
) -> None:
    cells = read(con, path).rows.select('_row, "_column", "value"').fetchall()
    assert len(cells) == len(set(cells)) > 20
    for row, column, value in cells:
        assert (value or "") == cell_in_file(path, row, column, header_row)


@pytest.mark.parametrize("name", [*ODD_NAMES, "what?"])
@pytest.mark.parametrize("converted", [False, True])
def test_a_file_is_read_in_a_folder_of_any_name(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    converted: bool,
) -> None:
    path = tmp_path / name / BARE.name
    path.parent.mkdir()
    text = BARE.read_bytes()
    path.write_bytes(text.replace(b"\n", b"\r") if converted else text)
    monkeypatch.setattr(tempfile, "tempdir", str(path.parent))
    with duckdb.connect() as other:
        assert read(con, path).rows.fetchall() == read(other, BARE).rows.fetchall()


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
    assert [row[-1] for row in read_again(con, path).fetchall()] == list(range(2, len(records) + 1))


def read_again(con: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyRelation:
    con.execute("drop table incoming")
    return read(con, path).rows


def test_records_of_a_text_keep_commas_and_quotes(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, TEXT, b"A made-up text", b'"A ""made-up"" text, 2018"')
    assert read(con, path, TEXTS).rows.fetchone()[1] == 'A "made-up" text, 2018'  # type: ignore[index]


# Refusals: one message that says what, where, what was expected and found, what to do


def test_a_renamed_header_is_named_with_its_column(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    problem = refusal(con, changed(tmp_path, BULK, b"Country Code", b"Economy Code"))
    assert problem.what == "unknown layout"
    assert problem.expected == "World Bank bulk download, data file"
    assert problem.found == "row 5: 'Economy Code' instead of 'Country Code'"


def test_a_missing_column_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed(tmp_path, COUNTRIES, b',"TableName",', b"")
    assert refusal(con, path).found == "row 1: no column 'TableName'"


def test_a_missing_column_in_the_middle_is_named(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, TEXT, b",partner,", b",")
    assert refusal(con, path, TEXTS).found == "row 1: no column 'partner'"


def test_columns_in_another_order_are_found_by_name_and_noted(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "made_up.csv"
    with COUNTRIES.open(encoding="utf-8-sig", newline="") as file:
        records = list(csv.reader(file))
    assert records[0][3:5] == ["SpecialNotes", "TableName"]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([*record[:3], record[4], record[3]] for record in records)
    swapped = read(con, path)
    assert swapped.notes == (
        "columns in another order: 'Country Code', 'Region', 'IncomeGroup', 'TableName',"
        " 'SpecialNotes'",
    )
    found = swapped.rows.fetchall()
    served = read_again(con, COUNTRIES)
    assert found == served.fetchall()


def test_further_columns_are_left_out_and_noted(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "made_up.csv"
    lines = BARE.read_text().splitlines()
    path.write_text(
        "".join(f"{'unit' if at == 0 else 'US$'},{line}\n" for at, line in enumerate(lines))
    )
    extract = read(con, path)
    assert extract.notes == ("further columns, left out: 'unit'",)
    found = extract.rows.fetchall()
    con.execute("drop table incoming")
    served = read(con, BARE)
    assert served.notes == ()
    assert found == served.rows.fetchall()


@pytest.mark.parametrize(
    ("begin", "end", "notes"),
    [
        (("rank,", "1,"), ("", ""), ("further columns, left out: 'rank'",)),
        (("", ""), (",rank", ",1"), ("further columns, left out: 'rank'",)),
        ((",", "0,"), ("", ""), ()),  # numbers of rows, as programs write them
        (("", ""), (",,", ",,"), ()),
    ],
)
def test_further_columns_may_hold_numbers(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    begin: tuple[str, str],
    end: tuple[str, str],
    notes: tuple[str, ...],
) -> None:
    path = tmp_path / "made_up.csv"
    header, *records = BARE.read_text().splitlines()
    lines = [begin[0] + header + end[0], *(begin[1] + line + end[1] for line in records)]
    path.write_text("".join(f"{line}\n" for line in lines))
    extract = read(con, path)
    assert extract.notes == notes
    found = extract.rows.fetchall()
    assert found == read_again(con, BARE).fetchall()


def test_years_from_the_last_to_the_first_are_found_by_name(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "made_up.csv"
    with BARE.open(newline="") as file:
        records = list(csv.reader(file))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([*record[:4], *record[:3:-1]] for record in records)
    found = sorted(read(con, path).rows.fetchall(), key=str)
    assert found == sorted(read_again(con, BARE).fetchall(), key=str)


def test_blanks_and_records_without_text_do_not_matter(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "made_up.csv"
    with BARE.open(newline="") as file:
        header, *records = csv.reader(file)
    blank = [""] * len(header)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [f"{cell} " for cell in record]
            for record in [header, records[0], blank, *records[1:], blank, blank]
        )
    extract = read(con, path)
    found = extract.rows.fetchall()
    served = read_again(con, BARE)
    assert [row[:-1] for row in found] == [row[:-1] for row in served.fetchall()]
    assert extract.rows_read == len(records)
    assert [row[-1] for row in found if row[4] == "2014"] == [2, *range(4, len(records) + 3)]


def test_a_year_in_the_middle_that_is_lost_is_named(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, BARE, b",2013,", b",2013 (estimate),")
    assert refusal(con, path).found == "row 1: column header '2014' after '2012'"


@pytest.mark.parametrize("header", [b"2014 (estimate)", b""])
def test_figures_under_an_unknown_header_are_not_left_out(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, header: bytes
) -> None:
    problem = refusal(con, changed(tmp_path, BARE, b",2014\n", b"," + header + b"\n"))
    assert problem.what == "figures under an unknown header"
    assert problem.where == f"{BARE.name}, row 1, column 7"
    assert problem.found == f"{header.decode()!r}, and '676000000' in row 2"


def test_a_year_that_occurs_twice_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, BARE, b",2013,", b",2012,")
    assert refusal(con, path).found == "row 1: the column '2012' twice"


def test_a_table_without_years_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed(tmp_path, BARE, b",2012,2013,2014", b"")
    assert "no column of figures" in refusal(con, path).found


@pytest.mark.parametrize(
    "start", [b"<!DOCTYPE html>\n", b"\n  <html lang='en'>", b"<?xml version='1.0'?>"]
)
def test_a_web_page_saved_as_csv_is_recognized(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, start: bytes
) -> None:
    path = tmp_path / "made_up.csv"
    path.write_bytes(start + b"<title>503 Service Unavailable</title>")
    assert refusal(con, path).found == "an HTML or XML page"


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


def test_a_file_truncated_within_quotes_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = COUNTRIES.read_bytes()
    path = tmp_path / COUNTRIES.name
    path.write_bytes(content[: content.index(b"of two lines")])
    problem = refusal(con, path)
    assert "truncated" in problem.what
    assert "unterminated quote" in problem.found


def test_a_file_truncated_within_a_record_is_refused(
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


def test_a_blank_line_is_not_counted_as_a_record(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, BARE, b"\nJapan,", b"\n\nJapan,")
    blank, plain = read(con, path).rows.fetchall(), read_again(con, BARE).fetchall()
    assert blank == plain


def test_a_file_truncated_within_its_last_figure_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / BARE.name
    path.write_bytes(BARE.read_bytes().rstrip()[:-2])
    problem = refusal(con, path)
    assert problem.what == "the file is truncated in its last record"
    assert problem.found.endswith("3.2E+'")


def test_a_block_of_zeros_is_refused_with_its_place(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = changed(tmp_path, BARE, b"BX.GSR.ROYL.CD,31900000000", bytes(12) + b"CD,31900000000")
    problem = refusal(con, path)
    assert problem.what == "a file with zero bytes"
    assert problem.where == f"{BARE.name}, byte {path.read_bytes().index(0) + 1:,}"


@pytest.mark.parametrize(
    ("years", "found"),
    [
        (b"2012,2014,2013", "column header '2014' after '2012'"),
        (b"2002,2013,2014", "column header '2013' after '2002'"),
    ],
)
def test_nonconsecutive_years_are_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, years: bytes, found: str
) -> None:
    path = changed(tmp_path, BARE, b"2012,2013,2014", years)
    assert refusal(con, path).found == f"row 1: {found}"


def test_a_line_without_an_end_is_not_read_whole(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    csv.field_size_limit(sys.maxsize)  # as libraries do for the whole process
    path = tmp_path / "made_up.csv"
    path.write_bytes(b"x" * 5_000_000)
    assert "field larger than field limit" in refusal(con, path).found


@pytest.mark.parametrize("folder", ["a[b]*?", "it's", "country_code=XXX", "value=9"])
def test_the_names_of_folders_mean_nothing(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, folder: str
) -> None:
    path = tmp_path / folder / BARE.name
    path.parent.mkdir()
    path.write_bytes(BARE.read_bytes())
    found = read(con, path).rows.fetchall()
    assert found == read_again(con, BARE).fetchall()


def test_columns_with_hostile_names_are_left_out(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    layout = CsvLayout("made up", RawTable("made_up", ("code",)), 1, ("Code",), partial=True)
    path = tmp_path / "made_up.csv"
    path.write_text('"a\': \'INT\'}) ; drop table x; --",Code,"b""c"\n1,A,2\n')
    assert read(con, path, (layout,)).rows.fetchall() == [("A", None, 2)]


# Bulk files: read once, into their table; the natural key replaces the row number.

KEYED = CsvLayout(
    "made-up bulk",
    RawTable("made_up__bulk", ("code", "year", "value")),
    header_row=1,
    header=("Code", "Year", "Value"),
    keep="code <> 'B'",
    natural_key=("code", "year"),
)


@pytest.fixture
def bulk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(csv_layout, "BULK_BYTES", 10)
    path = tmp_path / "bulk's.csv"
    path.write_text('Code,Year,Value\nA,2001,1\nB,2001,2\n"C\nD",2001,3\nA,2002,4\n')
    return path


def test_rows_of_a_bulk_file_are_not_numbered(con: duckdb.DuckDBPyConnection, bulk: Path) -> None:
    extract = KEYED.read(con, bulk)
    assert sorted(extract.rows.fetchall()) == [
        ("A", "2001", "1", None, None),
        ("A", "2002", "4", None, None),
        ("C\nD", "2001", "3", None, None),
    ]
    assert (extract.rows_read, extract.rows_kept) == (
        None,
        None,
    )  # the reader of the rows counts them


def test_the_line_of_a_record_is_found_by_its_key(
    con: duckdb.DuckDBPyConnection, bulk: Path
) -> None:
    assert KEYED.lines_of(con, bulk, {"code": "A", "year": "2002"}) == [5]
    assert KEYED.lines_of(con, bulk, {"code": "B"}) == [3]  # dropped rows, too
    assert KEYED.lines_of(con, bulk, {"code": "A"}) == [2, 5]
    with pytest.raises(BadInput, match="colour"):
        KEYED.lines_of(con, bulk, {"colour": "red"})


@pytest.mark.parametrize(
    ("ends", "line", "found", "expected"),
    [
        ((b"\r\n", b"\n"), 3, "LF", "CR LF"),
        ((b"\n", b"\r\n"), 3, "CR LF", "LF"),
        ((b"\n", b"\r"), 3, "CR", "LF"),
        ((b"\n", b"\r\r\n"), 3, "CR", "LF"),
    ],
)
def test_mixed_line_ends_are_named_with_the_line(
    tmp_path: Path,
    con: duckdb.DuckDBPyConnection,
    ends: tuple[bytes, bytes],
    line: int,
    found: str,
    expected: str,
) -> None:
    lines = BARE.read_bytes().splitlines()
    path = tmp_path / BARE.name
    path.write_bytes(ends[0].join([*lines[:2], ends[1].join([*lines[2:], b""])]))
    problem = refusal(con, path)
    assert problem.what == "a file with mixed line ends"
    assert problem.where == f"{BARE.name}, line {line}"
    assert (problem.found, problem.expected.rsplit(", ")[-1]) == (found, expected)
