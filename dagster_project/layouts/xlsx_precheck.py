"""Checks an .xlsx before it goes to the reader, which has no limits."""

import re
import zipfile
from collections import Counter
from functools import lru_cache
from pathlib import Path
from xml.parsers import expat

from dagster_project.base.safe_zip import MAX_RATIO
from dagster_project.layouts.cell_address import column_number

MAX_UNPACKED_BYTES = 256 << 20  # an .xlsx is a zip: the largest real one unpacks to 40 MB
MAX_CELLS = 5_000_000  # the largest real sheet has 240,000
MAX_TEXT = 32_767  # characters in a cell, as Excel's specification says
MAX_DEPTH = 64  # nested elements; a drawing has thirty
_MAX_MEMBERS = 10_000
_LARGEST_MEMBER = 16 << 20  # members up to this size may have any compression ratio
_ADDRESS = re.compile(r"\s*([A-Za-z]{0,4})([0-9]{0,9})\s*")
_CELLS = b"sheetData"
_BLANK = b"\xef\xbb\xbf \r\n\t"
_ANOTHER_FORMAT = {"content.xml", "xl/workbook.bin"}  # OpenDocument, binary: not supported


def precheck(path: Path) -> None:
    """Raise ValueError for an .xlsx that must not go to the reader.

    The reader allocates the whole rectangle up to a sheet's last cell with content, and a text for
    each cell that uses it; the process dies if it cannot. So every member is parsed first, as any
    may be a sheet. Reading them also verifies their checksums, which the reader does not.
    """
    stat = path.stat()
    _precheck(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


@lru_cache(1)
def _precheck(path: Path, *_: int) -> None:
    """Check a file; once, though each layout of a source may open it."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS:
            raise ValueError(f"a workbook of {len(members):,} members")
        if another := _ANOTHER_FORMAT & set(archive.namelist()):
            raise ValueError(f"not an .xlsx: it has the member {another.pop()}")
        names = Counter(name.lower() for name in archive.namelist())  # the reader ignores case
        twice = [name for name, times in names.items() if times > 1]
        if twice:
            raise ValueError(f"the member {twice[0]!r} twice")
        unpacked = sum(member.file_size for member in members)
        if unpacked > MAX_UNPACKED_BYTES:
            raise ValueError(f"a workbook that unpacks to {unpacked:,} bytes")
        for member in members:
            if member.file_size > max(_LARGEST_MEMBER, MAX_RATIO * member.compress_size):
                raise ValueError(f"a member ({member.filename}) packed to less than 1/{MAX_RATIO}")
            content = archive.read(member)
            is_xml = content.lstrip(_BLANK).startswith(b"<") or member.filename.endswith(
                (".xml", ".rels")
            )
            if is_xml and _Part(member.filename).parse(content):
                continue
            if _CELLS in content:  # the reader takes them for a sheet, whatever is around them
                raise ValueError(f"a sheet ({member.filename}) that is not XML")


class _Part:
    """An XML part of a workbook: how far its cells reach, and how long its texts are.

    The names of elements are local ones, as the reader takes them.
    """

    def __init__(self, member: str) -> None:
        self._member = member
        self._path: list[str] = []
        self._row = self._column = 0  # of the current cell, from 1
        self._is_empty = True  # the current cell, as far as it is known
        self._rows = self._columns = self._count = 0
        self._last = 0, 0  # row and column of the cell before, of those with content
        self._text = 0
        self._is_sheet = False
        self._kind = ""  # of the current cell: `t`
        self._value_at: int | None = None  # the byte at which its value begins
        self._content = b""
        self._parser = expat.ParserCreate()

    def parse(self, content: bytes) -> bool:
        """Raise ValueError for a part that is not well-formed or goes beyond the limits.

        Returns False for an old drawing that is not XML.
        """
        self._content = content
        parser = self._parser
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        # The reader ends a figure there: 1<!-- -->2 would be 1.
        parser.CommentHandler = self._interruption
        parser.ProcessingInstructionHandler = self._interruption
        parser.StartCdataSectionHandler = self._interruption
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            if self._member.endswith(".vml"):  # Excel writes HTML into old drawings
                return False
            raise ValueError(f"a part ({self._member}) that is not XML: {error}") from error
        return True

    def _doctype(self, *_: object) -> None:
        raise ValueError(f"a document type ({self._member}), which no workbook has")

    def _interruption(self, *_: object) -> None:
        if self._path and self._path[-1] == "v":
            self._refuse_value()

    def _refuse_value(self) -> None:
        if "sheetData" in self._path:
            raise ValueError(
                f"a value ({self._member}, row {self._row:,}, column {self._column:,}) that is not"
                " one plain text, of which the reader would leave out a part"
            )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._path.append(name)
        if len(self._path) > MAX_DEPTH:
            raise ValueError(f"elements nested {MAX_DEPTH} deep ({self._member})")
        if self._path[-2:-1] == ["v"] or (name == "v" and self._value_at is not None):
            self._refuse_value()
        before = self._row
        match name:
            case "sheetData":
                if self._is_sheet:
                    raise ValueError(f"a sheet ({self._member}) with its cells in two parts")
                self._is_sheet = True
            case "row":
                self._row = self._address(attributes, tag)[1] or self._row + 1
                self._column = 0
                self._refuse_disorder(self._row > before)
            case "c":
                column, row = self._address(attributes, tag)
                self._column = column or self._column + 1
                self._row = row or self._row or 1
                self._is_empty = True
                self._kind, self._value_at = attributes.get("t", ""), None
                return
            case "si" | "is":
                self._text = 0
            case "t" | "v" | "f" if not {"si", "is"} & {*self._path}:
                self._text = 0
        if name == "v":
            self._value_at = self._parser.CurrentByteIndex
        if self._is_empty and "c" in self._path:
            self._count_cell()

    def _refuse_disorder(self, is_next: bool) -> None:
        """Refuse a row or cell that comes twice, of which the reader keeps one."""
        if not is_next and "sheetData" in self._path:
            raise ValueError(
                f"a sheet ({self._member}) with row {self._row:,}, column {self._column:,} twice"
                " or out of order"
            )

    def _address(self, attributes: dict[str, str], tag: str) -> tuple[int, int]:
        """Return the column and row of an element's `r`, 0 where it has none."""
        stated = attributes.get("r") or attributes.get(f"{tag.rpartition(':')[0]}:r") or ""
        found = _ADDRESS.match(stated)
        assert found  # each of its parts may be empty
        return column_number(found[1].upper().encode()), int(found[2] or 0)

    def _count_cell(self) -> None:
        """Count a cell with content; many sheets have empty ones down to the last row."""
        self._is_empty = False
        self._refuse_disorder((self._row, self._column) > self._last)
        self._last = self._row, self._column
        self._count += 1
        self._rows = max(self._rows, self._row)
        self._columns = max(self._columns, self._column)
        if max(self._count, self._rows * self._columns) > MAX_CELLS:
            raise ValueError(
                f"a sheet ({self._member}) that reaches to row {self._rows:,},"
                f" column {self._columns:,}"
            )

    def _end(self, tag: str) -> None:
        if self._path[-1] == "v" and self._kind != "str":
            value = self._content[self._value_at : self._parser.CurrentByteIndex]
            if b"&" in value:  # a number ends at it for the reader
                self._refuse_value()
        self._path.pop()

    def _characters(self, text: str) -> None:
        if self._path[-1] in ("t", "v", "f"):
            self._text += len(text)
            if self._text > MAX_TEXT:
                raise ValueError(
                    f"a text ({self._member}) of more than {MAX_TEXT:,} characters, the most that a"
                    " cell can hold"
                )
