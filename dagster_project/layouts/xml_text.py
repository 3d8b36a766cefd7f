"""Text that can be written as XML 1.0.

Control characters, half surrogate pairs and the like (https://www.w3.org/TR/xml/#charsets) are in
no publisher's file. Further on, workbooks, pages and drawings of charts cannot hold them.
"""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from dagster_project.base.errors import BadInput

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")  # U+FFFE and U+FFFF in UTF-8
_BLOCK_BYTES = 1 << 20


def is_forbidden(text: str | None) -> bool:
    """Whether a text holds a character that XML 1.0 does not allow."""
    return text is not None and not text.isprintable() and _FORBIDDEN.search(text) is not None


def forbidden_text(where: str, text: str) -> BadInput:
    """Return the error for such a text. where: file, row and column."""
    found = _FORBIDDEN.search(text)
    assert found
    name = unicodedata.name(found[0], "")
    return BadInput(
        "a character that no text may hold",
        where=where,
        expected="characters that XML 1.0 allows",
        found=f"U+{ord(found[0]):04X}{f' {name}' if name else ''} in {text[:100]!r}",
        fix="fetch the file again; if the publisher serves it so, report it",
    )


def refuse_forbidden_cells(
    file: str, rows: Iterable[Iterable[str | None]], columns: Iterable[str]
) -> None:
    """Raise BadInput for a cell that XML 1.0 does not allow; rows count from 1."""
    names = list(columns)
    for number, row in enumerate(rows, 1):
        for name, cell in zip(names, row, strict=False):
            if cell is not None and is_forbidden(cell):
                raise forbidden_text(f"{file}, row {number}, column {name}", cell)


def has_forbidden_bytes(path: Path) -> bool:
    """Whether a file in UTF-8 holds such a character; reads it in chunks."""
    end = b""
    with path.open("rb") as file:
        while chunk := file.read(_BLOCK_BYTES):
            if len(chunk.translate(None, _CONTROLS)) < len(chunk):
                return True
            if chunk.isascii():
                end = b""
                continue
            block = end + chunk
            if any(block.find(each) >= 0 for each in _NO_CHARACTERS):
                return True
            end = block[-2:]
    return False
