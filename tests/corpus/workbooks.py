"""Mutations of workbooks: through openpyxl what a person may do to them, else to their XML."""

import io
import itertools
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from openpyxl import load_workbook

from dagster_project.layouts import Workbook, WorkbookLayout, layout_of
from dagster_project.sources import all_sources
from tests.corpus.mutation import Expected, Mutation, UnchangedFileError, always, of_bytes

Book = Any
Cell = Any
_SHEET = "xl/worksheets/sheet"
_YEAR = re.compile(r"(19|20)\d\d(Q[1-4])?")
_NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?")


def _in_book(change: Callable[[Book, Random], None]) -> Callable[[Path, Random], None]:
    def apply(path: Path, random: Random) -> None:
        if not zipfile.is_zipfile(path):
            raise UnchangedFileError  # an .xls
        book: Book = load_workbook(path)
        book.cells_read = _cells_read(path)
        change(book, random)
        book.save(path)

    return apply


def _cells_read(path: Path) -> set[tuple[str, int, int]]:
    """Sheet, row and column (from 1) of what the source's layout reads in a good file."""
    layouts = all_sources()[path.parent.parent.name].layouts
    layout = layout_of(path, layouts)
    assert isinstance(layout, WorkbookLayout)
    cells = layout.parse(Workbook(path))
    return {(cell.sheet, cell.row + 1, cell.column + 1) for cell in cells}


def _figures(book: Book) -> list[Cell]:
    """The cells that hold a figure that is read."""
    found = [
        cell
        for sheet, row, column in sorted(book.cells_read)
        if _NUMBER.fullmatch(str((cell := book[sheet].cell(row, column)).value))
    ]
    if not found:
        raise UnchangedFileError
    return found


def _figure_becomes(
    new: Callable[[Any], Any], every: bool = False
) -> Callable[[Path, Random], None]:
    def change(book: Book, random: Random) -> None:
        figures = _figures(book)
        for cell in figures if every else [random.choice(figures)]:
            cell.value = new(cell.value)

    return _in_book(change)


def _years(book: Book) -> list[Cell]:
    """The headers of columns that are read."""
    columns = {(sheet, column) for sheet, _, column in book.cells_read}
    return [
        cell
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if _YEAR.fullmatch(str(cell.value or "")) and (sheet.title, cell.column) in columns
    ]


def _year_becomes(new: Any) -> Callable[[Path, Random], None]:
    def change(book: Book, random: Random) -> None:
        random.choice(_years(book)).value = new

    return _in_book(change)


def _years_swapped(book: Book, random: Random) -> None:
    years = _years(book)
    pairs = [
        (one, other)
        for one, other in itertools.pairwise(years)
        if (one.parent, one.row) == (other.parent, other.row) and str(one.value) != str(other.value)
    ]
    one, other = random.choice(pairs)
    one.value, other.value = other.value, one.value


def _sheet(book: Book, random: Random) -> Any:
    return book[random.choice(sorted({cell.parent.title for cell in _figures(book)}))]


def _label(book: Book, random: Random) -> Cell:
    sheet = _sheet(book, random)
    labels = [
        cell
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and re.search("[^\\W\\d_]{3}", cell.value)
    ]
    return random.choice(labels)


def _move(rows: int, columns: int) -> Callable[[Path, Random], None]:
    def change(book: Book, random: Random) -> None:
        cell = _label(book, random)
        cell.offset(rows, columns).value = cell.value
        cell.value = None

    return _in_book(change)


def _rename_sheet(book: Book, random: Random) -> None:
    _sheet(book, random).title = "Renamed"


def _drop_sheet(book: Book, random: Random) -> None:
    book.remove(_sheet(book, random))


def _copy_sheet(book: Book, random: Random) -> None:
    book.copy_worksheet(_sheet(book, random))


def _sheets_reversed(book: Book, random: Random) -> None:
    book._sheets.reverse()


def _hidden(book: Book, random: Random) -> None:
    sheet = _sheet(book, random)
    for row in range(1, sheet.max_row + 1, 2):
        sheet.row_dimensions[row].hidden = True


def _insert(what: str) -> Callable[[Path, Random], None]:
    def change(book: Book, random: Random) -> None:
        sheet = _sheet(book, random)
        if what == "row":
            sheet.insert_rows(random.randrange(1, sheet.max_row + 1))
        else:
            sheet.insert_cols(random.randrange(1, sheet.max_column + 1))

    return _in_book(change)


def _delete(what: str) -> Callable[[Path, Random], None]:
    def change(book: Book, random: Random) -> None:
        sheet = random.choice(list(_figures(book)))
        if what == "row":
            sheet.parent.delete_rows(sheet.row)
        else:
            sheet.parent.delete_cols(sheet.column)

    return _in_book(change)


def _row_twice(book: Book, random: Random) -> None:
    cell = random.choice(_figures(book))
    values = [other.value for other in cell.parent[cell.row]]
    cell.parent.insert_rows(cell.row)
    for column, value in enumerate(values, 1):
        cell.parent.cell(cell.row, column).value = value


def _all_rows_twice(book: Book, random: Random) -> None:
    sheet = _sheet(book, random)
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    for row in rows:
        sheet.append(row)


def _columns_swapped(book: Book, random: Random) -> None:
    """Two columns of figures, with their headers."""
    cell = random.choice(_figures(book))
    sheet, column = cell.parent, cell.column
    for row in range(1, sheet.max_row + 1):
        one, other = sheet.cell(row, column), sheet.cell(row, column + 1)
        if type(one).__name__ == type(other).__name__ == "Cell":
            one.value, other.value = other.value, one.value


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def _archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _in_xml(change: Callable[[dict[str, bytes], Random], None]) -> Callable[[Path, Random], None]:
    def apply(path: Path, random: Random) -> None:
        if not zipfile.is_zipfile(path):
            raise UnchangedFileError
        members = _members(path)
        before = dict(members)
        change(members, random)
        if members == before:
            raise UnchangedFileError
        path.write_bytes(_archive(members))

    return apply


def _sheets(members: dict[str, bytes]) -> list[str]:
    return sorted(name for name in members if name.startswith(_SHEET))


def _every_sheet(pattern: bytes, new: bytes) -> Callable[[Path, Random], None]:
    def change(members: dict[str, bytes], random: Random) -> None:
        for name in _sheets(members):
            members[name] = re.sub(pattern, new, members[name])

    return _in_xml(change)


def _bomb(members: dict[str, bytes], random: Random) -> None:
    """An entity that would grow to a gigabyte, in place of a figure or label."""
    name = random.choice(_sheets(members))
    entities = b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 10))
    doctype = b'<!DOCTYPE w [<!ENTITY a0 "aaaaaaaaaa">%s]>' % entities
    declaration, _, rest = (
        members[name].partition(b"?>")
        if b"?>" in members[name]
        else (b"<?xml version='1.0'", b"", members[name])
    )
    members[name] = declaration + b"?>" + doctype + re.sub(rb"<v>[^<]*</v>", b"<v>&a9;</v>", rest)


def _external(members: dict[str, bytes], random: Random) -> None:
    """An entity that names a file of the machine."""
    name = random.choice(_sheets(members))
    start = members[name].index(b"<worksheet")
    members[name] = (
        b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        + re.sub(rb"<v>[^<]*</v>", b"<v>&x;</v>", members[name][start:])
    )


def _member_becomes(name: str, content: bytes) -> Callable[[Path, Random], None]:
    def change(members: dict[str, bytes], random: Random) -> None:
        members[name] = content

    return _in_xml(change)


def _far(cell: bytes) -> Callable[[Path, Random], None]:
    return _every_sheet(rb"</sheetData>", cell + b"</sheetData>")


def _large_member(members: dict[str, bytes], random: Random) -> None:
    members["xl/media/bomb.bin"] = bytes(300 << 20)


def _many_cells(members: dict[str, bytes], random: Random) -> None:
    """Sheets that unpack to hundreds of megabytes of cells, from a file of one."""
    for name in _sheets(members):
        row = b'<row><c r="A1"/>' + b"<c/>" * 16_000 + b"</row>"
        members[name] = members[name].replace(b"</sheetData>", row * 4_000 + b"</sheetData>")


def _lying_size(content: bytes, random: Random) -> bytes:
    """The archive's directory states too small a size for a sheet."""
    changed = bytearray(content)
    for entry in re.finditer(rb"PK\x01\x02", content):
        at = entry.start()
        length = int.from_bytes(content[at + 28 : at + 30], "little")
        if content[at + 46 : at + 46 + length].startswith(_SHEET.encode()):
            size = int.from_bytes(content[at + 24 : at + 28], "little")
            changed[at + 24 : at + 28] = (size // 2).to_bytes(4, "little")
    return bytes(changed)


def _digit_in_a_stored_member(content: bytes, random: Random) -> bytes:
    """A flipped digit in an archive without compression: only the checksum differs."""
    path = io.BytesIO(content)
    if not zipfile.is_zipfile(path):
        raise UnchangedFileError
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    stored = bytearray(_archive(members, zipfile.ZIP_STORED))
    found = list(re.finditer(rb"<v>(\d)", stored)) + list(re.finditer(rb"<t[^>]*>(\d)", stored))
    at = random.choice(found).start(1)
    stored[at] = stored[at] ^ 1
    return bytes(stored)


def _directory_lost(content: bytes, random: Random) -> bytes:
    return content.replace(b"PK\x01\x02", b"PK\x00\x00")


def _encrypted(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for entry in re.finditer(rb"PK\x03\x04|PK\x01\x02", content):
        changed[entry.start() + (6 if entry[0] == b"PK\x03\x04" else 8)] |= 1
    return bytes(changed)


def _one_archive(change: Callable[[bytes, Random], bytes]) -> Callable[[Path, Random], None]:
    def apply(content: bytes, random: Random) -> bytes:
        if not content.startswith(b"PK"):
            raise UnchangedFileError
        return change(content, random)

    return of_bytes(apply)


def _values(kinds: list[Any]) -> Iterator[Mutation]:
    for value in kinds:
        name = f"a figure that is {str(value)[:12]!r} ({type(value).__name__})"
        yield Mutation(name, _figure_becomes(always(value)), Expected.REFUSED)


_GOOD = "another good figure; the publisher may have corrected it, and mart_revisions shows it"

WORKBOOKS = [
    Mutation("saved again", _in_book(lambda book, random: None), Expected.ACCEPTED),
    Mutation("rows hidden", _in_book(_hidden), Expected.ACCEPTED),
    Mutation("sheets in another order", _in_book(_sheets_reversed), Expected.SAFE),
    Mutation(
        "archive without compression",
        _one_archive(lambda content, random: _archive(_members(_io(content)), zipfile.ZIP_STORED)),
        Expected.ACCEPTED,
    ),
    Mutation("a further member", _member_becomes("xl/extra.xml", b"<a/>"), Expected.ACCEPTED),
    Mutation(
        "a member with a path outside",
        _member_becomes("../../outside.xml", b"<a/>"),
        Expected.ACCEPTED,
    ),
    Mutation("a sheet renamed", _in_book(_rename_sheet), Expected.REFUSED),
    Mutation("a sheet dropped", _in_book(_drop_sheet), Expected.REFUSED),
    Mutation("a sheet copied", _in_book(_copy_sheet), Expected.SAFE),
    Mutation("a label one down", _move(1, 0), Expected.SAFE),
    Mutation("a label one to the right", _move(0, 1), Expected.SAFE),
    Mutation("a label far away", _move(40, 9), Expected.SAFE),
    Mutation("a row inserted", _insert("row"), Expected.SAFE),
    Mutation("a column inserted", _insert("column"), Expected.SAFE),
    Mutation(
        "a row of figures deleted",
        _delete("row"),
        Expected.UNDETECTABLE,
        "a release may have a row less",
    ),
    Mutation(
        "a column of figures deleted",
        _delete("column"),
        Expected.UNDETECTABLE,
        "the first or last year may be gone",
    ),
    Mutation("a row of figures twice", _in_book(_row_twice), Expected.SAFE),
    Mutation("all rows twice", _in_book(_all_rows_twice), Expected.SAFE),
    Mutation("two columns swapped with their headers", _in_book(_columns_swapped), Expected.SAFE),
    Mutation("headers of two years swapped", _in_book(_years_swapped), Expected.REFUSED),
    *(
        Mutation(f"a year's header becomes {str(new)!r}", _year_becomes(new), Expected.REFUSED)
        for new in ("2099", 1812, "renamed", None, date(2019, 1, 1), 2019.5, "2019 ..", "=A1")
    ),
    *_values(
        [
            "1.234,5",
            "12,5",
            "1 234",
            "(5)",
            "12%",
            "NaN",
            "inf",
            1e308,
            1e-308,
            "1e308",
            "9" * 400,
            10**15,
            True,
            "five",
            "#REF!",
            "=1/0",
            "=1+1",
            "=SUM(A1:A2)",
            date(2021, 1, 1),
            "\u0665",
            "5\u200b",
            "0x1F",
        ]
    ),
    *(
        Mutation(f"a figure with {name}", _figure_becomes(new), Expected.SAFE)
        for name, new in {
            "a plus": lambda figure: f"+{figure}",
            "a point after it": lambda figure: f"{figure}.",
            "a nought before it": lambda figure: f"0{figure}",
            "an apostrophe": lambda figure: f"'{figure}",
            "a blank after it": lambda figure: f"{figure} ",
            "a no-break space": lambda figure: f"{figure}\u00a0",
            "an underscore": lambda figure: f"1_{figure}",
            "an exponent": lambda figure: f"{figure}e3",
        }.items()
    ),
    *(
        Mutation(
            f"a figure that is {value!r}",
            _figure_becomes(always(value)),
            Expected.SAFE,
        )
        for value in ("", " ", None)
    ),
    Mutation(
        "a figure of many digits",
        _figure_becomes(lambda _: 0.1 + 0.2),
        Expected.UNDETECTABLE,
        _GOOD,
    ),
    Mutation("a figure as text", _figure_becomes(str), Expected.ACCEPTED),
    Mutation(
        "all figures formulas",
        _figure_becomes(lambda figure: f"={figure}", every=True),
        Expected.REFUSED,
    ),
    Mutation(
        "all figures localised",
        _figure_becomes(lambda figure: f"{figure}".replace(".", ",") + ",5", every=True),
        Expected.REFUSED,
    ),
    Mutation(
        "all figures NaN", _figure_becomes(lambda figure: "NaN", every=True), Expected.REFUSED
    ),
    Mutation(
        "a figure with another digit",
        _figure_becomes(lambda figure: type(figure)("7" + str(figure).lstrip("-")[1:])),
        Expected.UNDETECTABLE,
        _GOOD,
    ),
    Mutation(
        "a huge dimension tag",
        _every_sheet(rb'<dimension ref="[^"]*" ?/>', b'<dimension ref="A1:XFD1048576"/>'),
        Expected.ACCEPTED,
    ),
    Mutation(
        "an empty cell in the last row",
        _far(b'<row r="1048576"><c r="A1048576" s="0"/></row>'),
        Expected.ACCEPTED,
    ),
    Mutation(
        "a cell at the far corner",
        _far(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        Expected.REFUSED,
    ),
    Mutation(
        "a cell at the far corner, in other quotes",
        _far(b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"),
        Expected.REFUSED,
    ),
    Mutation(
        "a far cell without its address",
        _far(b'<row r="1048576">' + b"<c><v>1</v></c>" * 16_384 + b"</row>"),
        Expected.REFUSED,
    ),
    Mutation(
        "an address beyond the sheet",
        _far(b'<row r="99999999999"><c r="ZZZZZZZ99999999999"><v>1</v></c></row>'),
        Expected.REFUSED,
    ),
    Mutation("an entity bomb", _in_xml(_bomb), Expected.REFUSED),
    Mutation("an entity that is a file", _in_xml(_external), Expected.REFUSED),
    Mutation(
        "no shared strings", _member_becomes("xl/sharedStrings.xml", b"<sst/>"), Expected.SAFE
    ),
    Mutation(
        "a workbook part that is cut off",
        _member_becomes("xl/workbook.xml", b"<workbook><sheets>"),
        Expected.REFUSED,
    ),
    Mutation(
        "relations that lead nowhere",
        _member_becomes("xl/_rels/workbook.xml.rels", b"<Relationships/>"),
        Expected.REFUSED,
    ),
    Mutation("a size that lies", _one_archive(_lying_size), Expected.REFUSED),
    Mutation(
        "a digit flipped under its checksum",
        _one_archive(_digit_in_a_stored_member),
        Expected.REFUSED,
    ),
    Mutation("an archive without its directory", _one_archive(_directory_lost), Expected.REFUSED),
    Mutation("an archive with the mark of encryption", _one_archive(_encrypted), Expected.REFUSED),
]

# Each takes seconds or a gigabyte: a few of them do.
HEAVY_WORKBOOKS = [
    Mutation("a member of 300 MB", _in_xml(_large_member), Expected.REFUSED),
    Mutation("sheets of 64 million cells", _in_xml(_many_cells), Expected.REFUSED),
]


def _io(content: bytes) -> Any:
    return io.BytesIO(content)
