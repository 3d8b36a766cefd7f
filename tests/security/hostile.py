"""Hostile files, and the release that is made of one."""

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.layouts import (
    Cell,
    CsvLayout,
    CsvSheetLayout,
    JsonDocumentLayout,
    JsonLayout,
    Layout,
    RawTable,
    SdmxDataset,
    Sheet,
    Workbook,
    WorkbookLayout,
    ZipLayout,
)
from dagster_project.sources.source import Release, Source
from dagster_project.workbench.ledger_schema import create_ledger

DAY = date(2021, 9, 15)
THINGS = RawTable("made_up__things", ("code", "name"))
CELLS = RawTable("made_up__cells", ("name",), by_cell=True)
DATASET = SdmxDataset("Made-up data", "made_up__sdmx", ("GEO", "ITEM"), ("NOTE",))


def cells_of(book: Workbook) -> Iterator[Cell]:
    """The figures of a sheet: a label in A, a figure in B."""
    return sheet_cells(book.sheet("Data"))


def sheet_cells(sheet: Sheet) -> Iterator[Cell]:
    """The same, of a sheet that was saved as CSV."""
    for row in range(1, len(sheet.rows)):
        yield Cell((sheet.cell(row, 0),), sheet.name, row, 1, sheet.cell(row, 1))


def records_of(document: dict) -> Iterator[tuple[str | None, ...]]:
    """The records of a document that is a list below `rows`."""
    for row in document["rows"]:
        yield row["code"], row["name"]


CSV = CsvLayout("made-up CSV", THINGS, 1, ("code", "name"))
BULK = CsvLayout(
    "made-up bulk CSV", THINGS, 1, ("code", "name"), natural_key=("code",), must_contain="SH"
)
CSV_SHEET = CsvSheetLayout("made-up sheet", CELLS, ("label", "figure"), sheet_cells)
JSON = JsonLayout("made-up JSON", THINGS, "things", ("code",))
DOCUMENT = JsonDocumentLayout("made-up document", THINGS, records_of)
BOOK = WorkbookLayout("made-up workbook", CELLS, ("Data",), cells_of)


def zipped(inner: Layout) -> ZipLayout:
    """A layout in an archive, under the name `data.…`."""
    import re

    return ZipLayout(inner, re.compile(r"data\.\w+"))


def source_of(*layouts: Layout) -> Source:
    """A source of these layouts."""
    tables = tuple(dict.fromkeys(layout.table for layout in layouts))
    return Source("made_up", tables, layouts, tables[:1])


def release_in(folder: Path, files: Mapping[str, bytes]) -> Release:
    """A release of these files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Release("made_up", DAY, tuple(folder / name for name in sorted(files)))


def workbench(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A workbench with an empty ledger."""
    con = duckdb.connect(path) if path else duckdb.connect()
    create_ledger(con)
    con.execute("create schema if not exists raw")
    return con


def load(con: duckdb.DuckDBPyConnection, release: Release, *layouts: Layout) -> LoadResult:
    """Load a release through these layouts."""
    return load_release(con, source_of(*layouts), release)


def archive(path: Path, members: Mapping[str, bytes | str]) -> bytes:
    """The bytes of an archive of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    content = path.read_bytes()
    path.unlink()
    return content


SHEET = (
    "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>"
    "{rows}</sheetData></worksheet>"
)
ROWS = (
    "<row r='1'><c r='A1' t='inlineStr'><is><t>label</t></is></c></row>"
    "<row r='2'><c r='A2' t='inlineStr'><is><t>Japan</t></is></c><c r='B2'><v>1</v></c></row>"
)


def book(folder: Path, sheet: str, strings: str = "") -> bytes:
    """The bytes of a workbook with one sheet `Data`, of this XML."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    of_document = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    members = {
        "[Content_Types].xml": f"<Types xmlns='{package}/content-types'>"
        "<Default Extension='rels' ContentType="
        "'application/vnd.openxmlformats-package.relationships+xml'/>"
        f"<Override PartName='/xl/workbook.xml' ContentType='{kinds}.sheet.main+xml'/>"
        f"<Override PartName='/xl/worksheets/sheet1.xml' ContentType='{kinds}.worksheet+xml'/>"
        "</Types>",
        "_rels/.rels": f"<Relationships xmlns='{package}/relationships'><Relationship Id='rId1'"
        f" Type='{of_document}/officeDocument' Target='xl/workbook.xml'/></Relationships>",
        "xl/workbook.xml": f"<workbook xmlns='{main}' xmlns:r='{of_document}'><sheets>"
        "<sheet name='Data' sheetId='1' r:id='rId1'/></sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships xmlns='{package}/relationships'>"
        f"<Relationship Id='rId1' Type='{of_document}/worksheet' Target='worksheets/sheet1.xml'/>"
        f"<Relationship Id='rId2' Type='{of_document}/sharedStrings' Target='sharedStrings.xml'/>"
        "</Relationships>",
        "xl/worksheets/sheet1.xml": sheet,
        "xl/sharedStrings.xml": strings or f"<sst xmlns='{main}'/>",
    }
    return archive(folder / "book.tmp", members)


# Layouts whose functions end the process that calls them, as native code can.


def _abort(*_: object) -> Iterator[Cell]:
    os.abort()


def _exit(*_: object) -> Iterator[Cell]:
    os._exit(3)


def _fill_memory(*_: object) -> Iterator[Cell]:
    held = bytearray()
    while True:
        held += bytes(1 << 28)


def _hang(*_: object) -> Iterator[Cell]:
    while True:
        pass


_damage: list[str] = []  # to the memory of this process


def _damaging(sheet: Sheet) -> Iterator[Cell]:
    """Read the file, and leave damage to the next one."""
    _damage.append("as native code can")
    return sheet_cells(sheet)


def _damaged(sheet: Sheet) -> Iterator[Cell]:
    """Read the file; die, or refuse it, of an earlier one's damage."""
    if _damage:
        os.abort()
    return sheet_cells(sheet)


def _confused(sheet: Sheet) -> Iterator[Cell]:
    if _damage:
        raise ValueError
    return sheet_cells(sheet)


def _overflow(*_: object) -> Iterator[Cell]:
    import ctypes

    ctypes.string_at(0)
    return iter([])


def _deadly(function: Callable[..., Iterator[Cell]]) -> CsvSheetLayout:
    return CsvSheetLayout("made-up sheet", CELLS, ("label", "figure"), function)


ABORTS, EXITS, FILLS_MEMORY, HANGS, FAULTS = map(
    _deadly, (_abort, _exit, _fill_memory, _hang, _overflow)
)
DAMAGES, DIES_OF_DAMAGE, REFUSES_FOR_DAMAGE = map(_deadly, (_damaging, _damaged, _confused))
