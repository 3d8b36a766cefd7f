"""The records of a CSV file, and checks that a file is valid CSV."""

import codecs
import csv
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import duckdb

from dagster_project.base.errors import BadInput
from dagster_project.layouts.xml_text import forbidden_text, has_forbidden_bytes, is_forbidden

# characters: a file without line ends, or with a quote that never closes, must not fill memory
_LONGEST_LINE = 1 << 20
_LONGEST_FIELD = 1 << 17

_MOST_FIELDS = 4_096  # of a record: a column costs the reader up to a megabyte of memory

_PREAMBLE = 20  # records at most, before a header

_SAVE_AS = "save it as 'CSV UTF-8' with commas and decimal points, or use the publisher's own file"


def is_utf_8(path: Path) -> bool:
    """Whether all of a file is UTF-8; reads it in chunks."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def convert_to_utf_8(path: Path, folder: Path, encoding: str) -> Path:
    """Return a copy of the file in UTF-8. Raises BadInput if it is not in the encoding."""
    target = folder / path.name
    try:
        with (
            path.open(encoding=encoding, newline="") as file,
            target.open("w", encoding="utf-8", newline="") as converted,
        ):
            shutil.copyfileobj(file, converted, 1 << 20)
    except UnicodeDecodeError as error:
        raise BadInput(
            "a file in an unsupported encoding",
            where=path.name,
            expected=f"UTF-8 or {encoding}",
            found=f"the byte {error.object[error.start]:#04x}, which is invalid in both",
            fix="fetch the file again; if a program saved it, have it save UTF-8",
        ) from error
    return target


def csv_records(path: Path, errors: str = "strict") -> Iterator[list[str]]:
    """Yield a file's records. Raises UnicodeDecodeError, csv.Error."""
    csv.field_size_limit(_LONGEST_FIELD)  # of the process: other libraries raise it when imported
    with path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
        for record in csv.reader(iter(partial(file.readline, _LONGEST_LINE), ""), strict=True):
            if len(record) > _MOST_FIELDS:
                raise csv.Error(f"a record of {len(record):,} fields")
            yield record


def _names_in(header: Iterable[str]) -> set[str]:
    """Return the names in a header, whatever separates them."""
    return {name.strip('" ') for cell in header for name in re.split("[;\t]", cell)}


def likeness_of(found: Iterable[str], header: tuple[str, ...]) -> float:
    """Return the share of a layout's column names that a header has."""
    return len(_names_in(found) & set(header)) / len(header)


def not_csv(path: Path, error: UnicodeDecodeError | csv.Error) -> str:
    """Describe a file that cannot be read as records."""
    if isinstance(error, csv.Error):
        return f"text that is not CSV ({error})"
    with path.open("rb") as file:
        start = file.read(2)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return f"UTF-16 (as a spreadsheet's 'Unicode Text'), not UTF-8; {_SAVE_AS}"
    return f"bytes that are not UTF-8 (byte {error.start}); if a spreadsheet wrote it, {_SAVE_AS}"


def markup(path: Path) -> str | None:
    """Describe a file that is a web page or XML, as servers send in place of a file."""
    with path.open("rb") as file:
        start = file.read(200).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "an HTML or XML page"
    return None


def wrong_names(found: list[str], header: tuple[str, ...], cells: list[str]) -> str | None:
    """Describe the columns that a header lacks or has twice; None if it has each once."""
    missing = [name for name in header if name not in found]
    if missing and set(header) <= _names_in(found):
        return (
            "semicolons or tabs between columns, as spreadsheets write if the decimal sign is"
            f" a comma; {_SAVE_AS}"
        )
    unknown = [name for name in found if name and name not in header and name not in cells]
    twice = [name for name in dict.fromkeys((*header, *cells)) if found.count(name) > 1]
    parts = [f"the column {in_quotes(twice)} twice"] if twice else []
    if missing:
        instead = f"{in_quotes(unknown[:5])} instead of" if unknown else "no column"
        parts.append(f"{instead} {in_quotes(missing)}")
    return "; ".join(parts) or None


def in_quotes(names: list[str]) -> str:
    """Return names, quoted, for a message."""
    return ", ".join(map(repr, names))


def refuse_truncated_record(path: Path) -> None:
    """Raise BadInput for a file that does not end in a line end.

    If the file is truncated within the last field, a figure has lost digits; nothing else shows it.
    """
    with path.open("rb") as file:
        file.seek(-min(40, path.stat().st_size), os.SEEK_END)
        end = file.read()
    if not end.endswith((b"\n", b"\r")):
        raise BadInput(
            "the file is truncated in its last record",
            where=f"{path.name}, last line",
            expected="a line end after the last record",
            found=f"the end {end.decode('utf-8', 'replace')!r}",
            fix="fetch the file again; if it is whole, add the line end",
        )


def refuse_forbidden_characters(path: Path) -> None:
    """Raise BadInput for a character that XML 1.0 does not allow; reads the file in chunks."""
    if not has_forbidden_bytes(path):
        return
    refuse_zero_bytes(path)
    header: list[str] = []
    with suppress(UnicodeDecodeError, csv.Error):
        for row, record in enumerate(csv_records(path), 1):
            header = record if len(record) > len(header) and row < _PREAMBLE else header
            for column, cell in enumerate(record):
                if is_forbidden(cell):
                    name = f" {header[column]!r}" if column < len(header) and row > 1 else ""
                    place = f"row {row}, column {column + 1}{name}"
                    raise forbidden_text(f"{path.name}, {place}", cell)
    raise forbidden_text(path.name, path.read_text("utf-8-sig", "replace"))


def refuse_zero_bytes(path: Path) -> None:
    """Raise BadInput for a zero byte: a block lost in a copy consists of them.

    If it covers a code, the records would be left out as another subject's.
    """
    at = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            if b"\0" in chunk:
                raise BadInput(
                    "a file with zero bytes",
                    where=f"{path.name}, byte {at + chunk.index(0) + 1:,}",
                    expected="text",
                    found="zeros, as an incomplete copy leaves in place of a block",
                    fix="fetch the file again",
                )
            at += len(chunk)


_REASON = re.compile(
    "^(Expected Number of Columns.*|Value with unterminated quote.*|Invalid unicode.*"
    "|.*not utf-8 encoded.*)$",
    re.M | re.I,
)


_LINE_ENDS = {b"\r\n": "CR LF", b"\n": "LF", b"\r": "CR"}


def _mixed_line_end(path: Path) -> tuple[int, bytes, bytes] | None:
    """Return number and end of the first line that ends otherwise than the first, and its end."""
    first, number = b"", 0
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            for end in re.findall(rb"\r\n|\r|\n", line):
                number += 1
                first = first or end
                if end != first:
                    return number, end, first
    return None


def unreadable(path: Path, error: duckdb.Error) -> BadInput:
    """Turn DuckDB's CSV error of many lines into BadInput with the line number.

    DuckDB states none where a line ends otherwise than those before it.
    """
    text = str(error)
    if "state machine reached an invalid state" in text and (mixed := _mixed_line_end(path)):
        number, end, before = mixed
        return BadInput(
            "a file with mixed line ends",
            where=f"{path.name}, line {number:,}",
            expected=f"the line end of the lines before it, {_LINE_ENDS[before]}",
            found=_LINE_ENDS[end],
            fix="fetch the file again: an editor, or joining two files, has changed its line ends",
        )
    line = re.search(r"CSV Error on Line: (\d+)", text)
    reason = _REASON.search(text)
    return BadInput(
        "the file is truncated or is not valid CSV",
        where=f"{path.name}{f', line {line[1]}' if line else ''}",
        expected="every record with the header's number of fields, in UTF-8",
        found=(reason[0] if reason else text.splitlines()[0]).strip(),
        fix="fetch the file again; if a spreadsheet wrote it, save it as 'CSV UTF-8'; if the"
        " publisher serves it so, report it",
    )
