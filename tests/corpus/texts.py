"""Mutations of comma-separated files."""

import csv
import io
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Literal

from tests.corpus.mutation import Expected, Mutation, UnchangedFileError, always, of_bytes

Table = list[list[str]]

# The record of the header, and the columns of figures where they are not the years.
_HEADER = {"made_up_API.csv": 4, "made_up_answer.csv": 11, "API_14_DS2_en_csv_v2_3054360.csv": 4}
_FIGURES = re.compile(r"(19|20)\d\d|value|Final_value|Balanced_value|Exchange rate|VALUES|[A-Z]{3}")
# Records of another indicator or item are not read.
_OURS = re.compile(
    r"BX\.GSR\.ROYL\.CD|BM\.GSR\.ROYL\.CD|BPBP6JYNSN906|made-up|SH\d?|\d{4}-\d\d-\d\d"
)
_NO_NUMBERS = (
    "1.234,5",
    "1.234.567",
    "1 234",
    "1\u00a0234",
    "12,5",
    "1'234",
    "(5)",
    "5-",
    "12%",
    "$5",
    "5 e",
    "١٢٣",
    "1e308",
    "-1e308",
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "9" * 400,
    "0x1F",
    "#REF!",
    "#N/A",
    "true",
    "five",
    "--",
    "1e",
    "=1+1",
    "5\x00",
    "1e-5000",
    "2021-01-01",
)

# As the csv module's own annotations have it.
Quoting = Literal[0, 1, 2, 3]


def _text(content: bytes) -> str:
    """The text of a file; some publishers serve Windows-1252 or Shift_JIS."""
    for encoding in ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode("cp932")


def _in_table(
    change: Callable[[Table, int, Random], Table | None],
) -> Callable[[Path, Random], None]:
    """A mutation of the records; `change` gets them with the header's number, from 0."""

    def apply(path: Path, random: Random) -> None:
        content = path.read_bytes()
        mark = content.startswith(b"\xef\xbb\xbf")
        before = list(csv.reader(io.StringIO(_text(content), newline="")))
        after = change([list(record) for record in before], _HEADER.get(path.name, 0), random)
        if after is None or after == before:
            raise UnchangedFileError
        path.write_bytes(_written(after, mark))

    return apply


def _written(
    records: Table, mark: bool, quoting: Quoting = csv.QUOTE_MINIMAL, end: str = "\n"
) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(records)
    return text.getvalue().encode("utf-8-sig" if mark else "utf-8")


def _rewritten(
    end: str = "\n", quoting: Quoting = csv.QUOTE_MINIMAL
) -> Callable[[Path, Random], None]:
    def change(content: bytes, random: Random) -> bytes:
        mark = content.startswith(b"\xef\xbb\xbf")
        records = list(csv.reader(io.StringIO(_text(content), newline="")))
        return _written(records, mark, quoting, end)

    return of_bytes(change)


def _encoded(encoding: str) -> Callable[[Path, Random], None]:
    def change(content: bytes, random: Random) -> bytes:
        try:
            return _text(content).encode(encoding)
        except UnicodeEncodeError:
            raise UnchangedFileError from None  # Japanese has no such bytes

    return of_bytes(change)


def _latin(content: bytes, random: Random) -> bytes:
    """A word of another encoding in a record below the header."""
    lines = content.splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b"a", b"\xe9", 1)
    return b"".join(lines)


def _delimited(delimiter: str) -> Callable[[Path, Random], None]:
    def change(content: bytes, random: Random) -> bytes:
        records = csv.reader(io.StringIO(_text(content), newline=""))
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(records)
        return text.getvalue().encode()

    return of_bytes(change)


def _figure(records: Table, header: int, random: Random) -> tuple[int, int]:
    """Record and column of a random figure that is read."""
    columns = [at for at, name in enumerate(records[header]) if _FIGURES.fullmatch(name)]
    cells = [
        (row, column)
        for row in range(header + 1, len(records))
        if any(_OURS.match(cell) for cell in records[row])
        for column in columns
        if re.fullmatch(r"-?[\d.]+", records[row][column])
    ]
    if not cells:
        raise UnchangedFileError
    return random.choice(cells)


def _figure_becomes(new: Callable[[str], str]) -> Callable[[Path, Random], None]:
    def change(records: Table, header: int, random: Random) -> Table:
        row, column = _figure(records, header, random)
        records[row][column] = new(records[row][column])
        return records

    return _in_table(change)


def _all_figures_become(new: Callable[[str], str]) -> Callable[[Path, Random], None]:
    def change(records: Table, header: int, random: Random) -> Table:
        _figure(records, header, random)
        for column, name in enumerate(records[header]):
            if _FIGURES.fullmatch(name):
                for record in records[header + 1 :]:
                    if len(record) > column and re.fullmatch(r"-?[\d.]+", record[column]):
                        record[column] = new(record[column])
        return records

    return _in_table(change)


def _localised(number: str) -> str:
    whole, _, decimals = number.partition(".")
    return f"{int(whole):,}".replace(",", ".") + (f",{decimals}" if decimals else ",0")


def _two_columns(records: Table, header: int, random: Random) -> tuple[int, int]:
    """Two columns next to each other whose names differ."""
    names = records[header]
    at = random.choice([at for at in range(len(names) - 1) if names[at] and names[at + 1]])
    return at, at + 1


def _swap_columns(records: Table, header: int, random: Random) -> Table:
    one, other = _two_columns(records, header, random)
    for record in records[header:]:
        if len(record) > other:
            record[one], record[other] = record[other], record[one]
    return records


def _swap_headers(records: Table, header: int, random: Random) -> Table:
    one, other = _two_columns(records, header, random)
    names = records[header]
    names[one], names[other] = names[other], names[one]
    return records


def _drop_column(records: Table, header: int, random: Random) -> Table:
    column = random.randrange(len([name for name in records[header] if name]))
    return [
        record[:column] + record[column + 1 :] if at >= header else record
        for at, record in enumerate(records)
    ]


def _add_column(records: Table, header: int, random: Random) -> Table:
    column = random.randrange(len([name for name in records[header] if name]))
    for record in records[header:]:
        record.insert(column, "new")
    return records


def _header_becomes(new: Callable[[list[str], Random], None]) -> Callable[[Path, Random], None]:
    def change(records: Table, header: int, random: Random) -> Table:
        new(records[header], random)
        return records

    return _in_table(change)


def _rename(names: list[str], random: Random) -> None:
    names[random.randrange(len([name for name in names if name]))] = "renamed"


def _double(names: list[str], random: Random) -> None:
    at = random.randrange(1, len([name for name in names if name]))
    names[at] = names[at - 1]


def _years(names: list[str]) -> list[int]:
    years = [at for at, name in enumerate(names) if re.fullmatch(r"(19|20)\d\d", name)]
    if len(years) < 2:
        raise UnchangedFileError
    return years


def _year_becomes(year: str) -> Callable[[list[str], Random], None]:
    def change(names: list[str], random: Random) -> None:
        names[random.choice(_years(names))] = year

    return change


def _years_swapped(names: list[str], random: Random) -> None:
    at = random.choice(_years(names)[:-1])
    names[at], names[at + 1] = names[at + 1], names[at]


def _years_shifted(names: list[str], random: Random) -> None:
    for at in _years(names):
        names[at] = str(int(names[at]) - 1)


def _some_record(records: Table, header: int, random: Random) -> int:
    rows = [
        row
        for row in range(header + 1, len(records))
        if any(_OURS.match(cell) for cell in records[row])
    ]
    if not rows:
        raise UnchangedFileError
    return random.choice(rows)


def _double_record(records: Table, header: int, random: Random) -> Table:
    row = _some_record(records, header, random)
    return [*records[:row], list(records[row]), *records[row:]]


def _drop_record(records: Table, header: int, random: Random) -> Table:
    row = _some_record(records, header, random)
    return records[:row] + records[row + 1 :]


def _half_of_the_records(records: Table, header: int, random: Random) -> Table:
    return records[: header + 1 + (len(records) - header - 1) // 2]


def _long_field(records: Table, header: int, random: Random) -> Table:
    row = _some_record(records, header, random)
    column = random.randrange(len(records[row]))
    records[row][column] += "x" * 3_000_000
    return records


def _fewer_fields(records: Table, header: int, random: Random) -> Table:
    row = _some_record(records, header, random)
    records[row] = records[row][:-1]
    return records


def _code_becomes(code: str) -> Callable[[Path, Random], None]:
    """Another economy in a record: the first cell of three capitals or two."""

    def change(records: Table, header: int, random: Random) -> Table | None:
        row = _some_record(records, header, random)
        for column, cell in enumerate(records[row]):
            if re.fullmatch("[A-Z]{2,3}", cell) and not _FIGURES.fullmatch(records[header][column]):
                records[row][column] = code
                return records
        return None

    return _in_table(change)


def _before(text: bytes) -> Callable[[Path, Random], None]:
    return of_bytes(lambda content, random: text + content)


_GOOD = "another good figure; the publisher may have corrected it, and mart_revisions shows it"

TEXTS = [
    Mutation("a byte order mark", _encoded("utf-8-sig"), Expected.ACCEPTED),
    Mutation("no byte order mark", _encoded("utf-8"), Expected.ACCEPTED),
    Mutation("lines end as on Windows", _rewritten("\r\n"), Expected.ACCEPTED),
    Mutation("lines end as on an old Mac", _rewritten("\r"), Expected.SAFE),
    Mutation("every field in quotes", _rewritten(quoting=csv.QUOTE_ALL), Expected.ACCEPTED),
    Mutation("quotes only where needed", _rewritten(), Expected.ACCEPTED),
    Mutation(
        "blank lines at the end", of_bytes(lambda content, random: content + b"\n\n"), Expected.SAFE
    ),
    Mutation(
        "records in another order",
        _in_table(lambda records, header, _: records[: header + 1] + records[:header:-1]),
        Expected.ACCEPTED,
    ),
    *(
        Mutation(f"in {encoding}", _encoded(encoding), Expected.REFUSED)
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037")
        if encoding != "utf-7"  # for plain text it is the same
    ),
    Mutation("two byte order marks", _before(b"\xef\xbb\xbf\xef\xbb\xbf"), Expected.SAFE),
    Mutation("a line of Latin 1", of_bytes(_latin), Expected.REFUSED),
    *(
        Mutation(f"delimiter {delimiter!r}", _delimited(delimiter), Expected.REFUSED)
        for delimiter in (";", "\t", "|", " ")
    ),
    Mutation("sep= before it", _before(b"sep=,\n"), Expected.REFUSED),
    Mutation("a blank line before it", _before(b"\n"), Expected.SAFE),
    Mutation("columns swapped with their headers", _in_table(_swap_columns), Expected.SAFE),
    Mutation(
        "headers swapped",
        _in_table(_swap_headers),
        Expected.UNDETECTABLE,
        "columns go by their names: a file with two of them in another order looks so",
    ),
    Mutation("a column less", _in_table(_drop_column), Expected.SAFE),
    Mutation("a column more", _in_table(_add_column), Expected.SAFE),
    Mutation("a header renamed", _header_becomes(_rename), Expected.SAFE),
    Mutation("a header twice", _header_becomes(_double), Expected.SAFE),
    *(
        Mutation(
            f"a year's header becomes {year}",
            _header_becomes(_year_becomes(year)),
            Expected.REFUSED,
        )
        for year in ("2099", "1812", "2012.0", "1961", "X")
    ),
    Mutation("headers of two years swapped", _header_becomes(_years_swapped), Expected.REFUSED),
    Mutation(
        "all years shifted",
        _header_becomes(_years_shifted),
        Expected.UNDETECTABLE,
        "a table of the years before looks so; mart_revisions shows every figure changed",
    ),
    Mutation(
        "only the header",
        _in_table(lambda records, header, _: records[: header + 1]),
        Expected.REFUSED,
    ),
    Mutation("a record twice", _in_table(_double_record), Expected.REFUSED),
    Mutation(
        "all records twice",
        _in_table(lambda records, header, _: records + records[header + 1 :]),
        Expected.REFUSED,
    ),
    Mutation(
        "the whole file twice",
        of_bytes(lambda content, random: content + content),
        Expected.REFUSED,
    ),
    Mutation(
        "a record less",
        _in_table(_drop_record),
        Expected.UNDETECTABLE,
        "a release may state a figure less; the gate refuses if a fifth of them is gone",
    ),
    Mutation("half of the records", _in_table(_half_of_the_records), Expected.SAFE),
    Mutation("a field less in a record", _in_table(_fewer_fields), Expected.REFUSED),
    Mutation(
        "a field of 3 MB",
        _in_table(_long_field),
        Expected.SAFE,
    ),
    Mutation(
        "a quote that is not closed",
        of_bytes(lambda content, random: content + b'"'),
        Expected.REFUSED,
    ),
    *(
        Mutation(
            f"a figure that is {text[:12]!r}",
            _figure_becomes(always(text)),
            Expected.SAFE,
        )
        for text in _NO_NUMBERS
    ),
    *(
        Mutation(name, _figure_becomes(new), Expected.SAFE)
        for name, new in {
            "a figure with a plus": lambda figure: "+" + figure,
            "a figure with a blank before it": lambda figure: " " + figure,
            "a figure with a point after it": lambda figure: figure + ".",
            "a figure with underscores": lambda figure: f"{int(float(figure)) + 1000:_}",
            "a figure with a blank after it": lambda figure: figure + " ",
            "a figure with a no-break space": lambda figure: figure + "\u00a0",
            "a figure with a thousands comma": lambda figure: f"{int(float(figure)) + 1000:,}",
            "a figure with a million times a million": lambda figure: figure + "0" * 12,
        }.items()
    ),
    *(
        Mutation(name, _all_figures_become(new), Expected.REFUSED)
        for name, new in {
            "all figures with decimal commas": lambda figure: figure.replace(".", ",") + ",0",
            "all figures localised": _localised,
            "all figures NaN": lambda figure: "NaN",
            "all figures 1e308": lambda figure: "1e308",
        }.items()
    ),
    Mutation(
        "a figure with another digit",
        _figure_becomes(lambda figure: "7" + figure.lstrip("-")[1:]),
        Expected.UNDETECTABLE,
        _GOOD,
    ),
    Mutation(
        "a figure with the other sign",
        _figure_becomes(lambda figure: "-" + figure),
        Expected.UNDETECTABLE,
        _GOOD,
    ),
    Mutation(
        "a figure that is empty",
        _figure_becomes(lambda figure: ""),
        Expected.UNDETECTABLE,
        "the source writes what is missing so",
    ),
    Mutation("an economy without a code", _code_becomes(""), Expected.REFUSED),
    *(
        Mutation(
            f"an economy called {code[:20]!r}",
            _code_becomes(code),
            Expected.UNDETECTABLE,
            "a code that no map knows is kept, unmapped, and the gate warns",
        )
        for code in (
            "XQX",
            "usa",
            "'; drop schema raw cascade; --",
            "$economy_codes",
            "{batch}",
            "%s",
            "../..",
        )
    ),
]
