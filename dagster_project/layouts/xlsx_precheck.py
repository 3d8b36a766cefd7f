"""Checks on an .xlsx before it is handed to the reader, which trusts what it is given."""

import re
import zipfile
from pathlib import Path

from dagster_project.layouts.cell_address import column_number

MAX_UNPACKED_BYTES = 256 << 20  # an .xlsx is a zip: the largest real one unpacks to 40 MB
MAX_CELLS = 5_000_000  # the largest real sheet has 240,000
# Rows, and their cells' addresses, in whatever quotes and namespace.
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s>/])")
_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s>/])")
_REACHES = re.compile(rb"\sr\s*=\s*[\"']\s*([A-Za-z]*)([0-9]*)\s*[\"']")
# What follows `<row` in a row of empty cells: spreadsheets are formatted to the last one.
_MARKS = rb"(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*"
_EMPTY_CELL = rb"<(?:\w+:)?c%s(?:/>|>\s*</(?:\w+:)?c\s*>)" % _MARKS
_EMPTY_ROW = re.compile(
    rb"%s(?:/>|>(?:\s*%s)*\s*</(?:\w+:)?row\s*>)\s*(?:</(?:\w+:)?sheetData\s*>.*)?"
    % (_MARKS, _EMPTY_CELL),
    re.S,
)
_BLANK = b"\xef\xbb\xbf \r\n\t"
_ANOTHER_FORMAT = {"content.xml", "xl/workbook.bin"}  # OpenDocument, binary: not looked through


def precheck(path: Path) -> None:
    """Raise ValueError for an .xlsx that must not be handed to the reader.

    The reader allocates the whole rectangle up to a sheet's farthest cell with content, and the
    process dies if it cannot; so that cell is looked for first, in every member, for a sheet can be
    anywhere. Reading them also verifies their checksums, which the reader does not.
    """
    with zipfile.ZipFile(path) as archive:
        if another := _ANOTHER_FORMAT & set(archive.namelist()):
            raise ValueError(f"not an .xlsx: it has the member {another.pop()}")
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise ValueError(f"a workbook that unpacks to {unpacked:,} bytes")
        for member in archive.infolist():
            content = archive.read(member)
            if content.lstrip(_BLANK).startswith(b"<") and b"<!DOCTYPE" in content:
                raise ValueError(f"a document type ({member.filename}), as no workbook has")
            if _ROW.search(content):
                _precheck_sheet(member.filename, content)


def _precheck_sheet(name: str, content: bytes) -> None:
    # Most sheets are small whatever their cells hold: empty ones are looked for if this is not.
    if _cells(*_reach(content)) > MAX_CELLS:
        rows, columns, count = _reach(re.sub(_EMPTY_CELL, b"", content))
        if _cells(rows, columns, count) > MAX_CELLS:
            raise ValueError(f"a sheet ({name}) that reaches to row {rows:,}, column {columns:,}")


def _cells(rows: int, columns: int, count: int) -> int:
    return max(count, rows * columns)


def _reach(content: bytes) -> tuple[int, int, int]:
    """The last row and column of a sheet, not of empty rows at its end, and how many cells it has.

    No more than what is too much.
    """
    rows = columns = count = 0
    found = _ROW.split(content)
    while len(found) > 1 and _EMPTY_ROW.fullmatch(found[-1]):
        found.pop()
    for row in found:
        rows += 1  # a row without its number is the one after the row before it
        cells = len(_CELL.findall(row))
        count += cells
        columns = max(columns, cells)
        # Of a row all cells count; among a sheet's rows most have the same columns.
        for letters, number in set(_REACHES.findall(row)):
            rows = max(rows, int(number[:9] or 0))
            columns = max(columns, column_number(letters[:4].upper()))
        if _cells(rows, columns, count) > MAX_CELLS:
            break
    return rows, columns, count
