"""Checks an .xlsx before it goes to the reader, which has no limits."""

import re
import zipfile
from pathlib import Path

from dagster_project.layouts.cell_address import column_number

MAX_UNPACKED_BYTES = 256 << 20  # an .xlsx is a zip: the largest real one unpacks to 40 MB
MAX_CELLS = 5_000_000  # the largest real sheet has 240,000
# Rows and their cells' addresses, with any quotes and namespace.
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s>/])")
_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s>/])")
_REACHES = re.compile(rb"\sr\s*=\s*[\"']\s*([A-Za-z]*)([0-9]*)\s*[\"']")
# The text after `<row` in a row of empty cells: many sheets are formatted to the last row.
_MARKS = rb"(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*"
_EMPTY_CELL = rb"<(?:\w+:)?c%s(?:/>|>\s*</(?:\w+:)?c\s*>)" % _MARKS
_EMPTY_ROW = re.compile(
    rb"%s(?:/>|>(?:\s*%s)*\s*</(?:\w+:)?row\s*>)\s*(?:</(?:\w+:)?sheetData\s*>.*)?"
    % (_MARKS, _EMPTY_CELL),
    re.S,
)
_BLANK = b"\xef\xbb\xbf \r\n\t"
_ANOTHER_FORMAT = {"content.xml", "xl/workbook.bin"}  # OpenDocument, binary: not supported


def precheck(path: Path) -> None:
    """Raise ValueError for an .xlsx that must not go to the reader.

    The reader allocates the whole rectangle up to a sheet's last cell with content, and the process
    dies if it cannot. So that cell is determined first, in every member, as any may be a sheet.
    Reading them also verifies their checksums, which the reader does not.
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
                raise ValueError(f"a document type ({member.filename}), which no workbook has")
            if _ROW.search(content):
                _precheck_sheet(member.filename, content)


def _precheck_sheet(name: str, content: bytes) -> None:
    # Most sheets are small even with their empty cells, which are excluded only if this one is not.
    if _cells(*_reach(content)) > MAX_CELLS:
        rows, columns, count = _reach(re.sub(_EMPTY_CELL, b"", content))
        if _cells(rows, columns, count) > MAX_CELLS:
            raise ValueError(f"a sheet ({name}) that reaches to row {rows:,}, column {columns:,}")


def _cells(rows: int, columns: int, count: int) -> int:
    return max(count, rows * columns)


def _reach(content: bytes) -> tuple[int, int, int]:
    """Return the last row and column of a sheet, without empty rows at its end, and its cell count.
    Counting stops at the limits.
    """
    rows = columns = count = 0
    found = _ROW.split(content)
    while len(found) > 1 and _EMPTY_ROW.fullmatch(found[-1]):
        found.pop()
    for row in found:
        rows += 1  # a row without a number follows the one before it
        cells = len(_CELL.findall(row))
        count += cells
        columns = max(columns, cells)
        # All cells of a row count; most rows of a sheet have the same columns.
        for letters, number in set(_REACHES.findall(row)):
            rows = max(rows, int(number[:9] or 0))
            columns = max(columns, column_number(letters[:4].upper()))
        if _cells(rows, columns, count) > MAX_CELLS:
            break
    return rows, columns, count
