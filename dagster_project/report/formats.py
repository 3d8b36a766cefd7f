"""The format of values on a page. Each number keeps its exact value in `data-value`."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

MINUS = "\N{MINUS SIGN}"
NOT_STATED = Markup('<span class="none" title="not stated">\N{EN DASH}</span>')
WITHHELD = Markup('<span class="none" title="withheld by the publisher">withheld</span>')
# SDMX's CL_OBS_STATUS, of those that change how a figure reads.
_STATUSES = {"B": "break in series", "E": "estimated", "P": "provisional", "N": "not significant"}
_KINDS = {
    "money": "_usd_m$",
    "pct": "_pct$",
    "date": "_date$",
    "period": "^period$|_period$",
    "rank": "^rank_by_",
}


def number(value: Any, decimals: int) -> str:
    """Format a number with thousands separators, a real minus sign and so many decimals."""
    text = f"{Decimal(str(value)):,.{decimals}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.,") else MINUS + text[1:]
    return text


def exact(value: Any) -> str:
    """Format a value as the query returns it, for machines; an empty text for NULL."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
    return str(value)


def kind_of(column: str, values: Sequence[Any]) -> str:
    """Return the kind of a column's values, from its name or else from the values.

    `period`, `date`, `money` (millions, no decimals), `pct` (one decimal), `rank` (with the number
    of competitors), `number` (unchanged), `text`. Others are set in the front matter: `code`,
    `bytes`, `sha256`, `verdict`, `prose` (names in backticks); `stated`, `found` (in the unit of a
    statement); `economy`, `study`, `file`, `table`, `link` (a text with a link).
    """
    for kind, pattern in _KINDS.items():
        if re.search(pattern, column):
            return kind
    numeric = any(isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in values)
    return "number" if numeric else "text"


def shown(
    value: Any, kind: str, record: Mapping[str, Any] | None = None, column: str = ""
) -> str | Markup:
    """Format the value of a cell.

    record: its row, for kinds that need it: of an amount also the status and comparator, of a rank
    the number of competitors, where the query selects them. column: the name of its column.
    """
    record = record or {}
    if value is None:
        withheld = record.get(f"{column.removesuffix('_usd_m')}_status") == "Q"
        return WITHHELD if withheld else NOT_STATED
    match kind:
        case "stated" | "found":
            return measured(value, record, stated=kind == "stated")
        case "money" | "rank":
            return _qualified(value, kind, record, column)
        case "pct":
            return number(value, 1)
        case "number" if not isinstance(value, date):
            return plain_number(value)
        case "bytes":
            return f"{number(Decimal(value) / 1024, 0)} KiB"
        case "sha256":
            return Markup('<code title="{0}">{1}</code>').format(value, value[:12])
        case "verdict":
            return verdict(value)
        case "prose":
            return with_code(value)
        case "code":
            return Markup("<code>{0}</code>").format(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return escape(exact(value))


def _qualified(value: Any, kind: str, record: Mapping[str, Any], column: str) -> str | Markup:
    """Format a rank as "3 of 137"; millions with "more than" for a bound, and unusual statuses."""
    if kind == "rank":
        among = record.get(f"{column.removeprefix('rank_by_')}_ranked_among")
        return f"{value} of {among}" if among else str(value)
    flow = column.removesuffix("_usd_m")
    comparator = _COMPARATORS[record.get(f"{flow}_comparator") or "="]
    status = record.get(f"{flow}_status")
    if status not in _STATUSES:
        return comparator + number(value, 0)
    return Markup('{0}{1} <abbr title="{2}">{3}</abbr>').format(
        comparator, number(value, 0), _STATUSES[status], status.lower()
    )


def plain_number(value: Any) -> str:
    """Format a number with its own decimals, at most six."""
    text = f"{Decimal(str(value)):.6f}".rstrip("0").rstrip(".")
    return number(value, len(text.partition(".")[2]))


def with_code(text: str) -> Markup:
    """Format a text with names in backticks."""
    return Markup("").join(
        Markup("<code>{0}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(text.split("`"))
    )


_VERDICTS = {
    "confirmed": ("✓", "another source states the same"),
    "consistent": ("≈", "agrees with the text's own other numbers"),
    "contradicted": ("✗", "says otherwise"),
    "revised": ("↻", "newer than the text, and differs by 1 percent at most"),
    "superseded": ("»", "newer than the text, which was right at its time"),
    "older_vintage": ("«", "older than the text, when the period was provisional"),
    "not_comparable": ("≠", "another concept: neither confirms nor contradicts"),
    "undecided": ("?", "states the member, but not its competitors"),
    "no_data": ("○", "no release states it"),
}


def verdict(value: str) -> Markup:
    """Format a verdict: a word, with a symbol for those who cannot see colours."""
    sign, meaning = _VERDICTS[value]
    return Markup(
        '<span class="judged {0}" title="{1}"><span aria-hidden="true">{2}</span> {3}</span>'
    ).format(value, meaning, sign, value.replace("_", " "))


_UNITS = {("USD", 9): "billion US dollars", ("USD", 6): "million US dollars"}
_COMPARATORS = {"=": "", "~": "about ", ">": "more than ", "<": "less than "}


def measured(value: Any, claim: Mapping[str, Any], *, stated: bool) -> Markup:
    """Format the number of a statement in its unit.

    A stated value has the decimals of its rounding, a found one has one more.
    """
    unit = claim["unit"]
    if unit == "sign":
        return Markup("surplus" if value > 0 else "deficit")
    if unit in ("year", "rank"):
        before = "before " if stated and claim["comparator"] == "<" else ""
        return Markup(f"{before}{value:.0f}" if unit == "year" else f"no. {value:.0f}")
    decimals = len(f"{Decimal(str(claim['rounding'])).normalize():f}".partition(".")[2])
    text = number(value, decimals if stated else decimals + 1)
    words = (
        "%"
        if unit == "percent"
        else _UNITS.get(
            (unit, claim["unit_multiplier"]), f"{_multiple(claim['unit_multiplier'])}{unit}"
        )
    )
    return Markup("{0}{1}\N{NO-BREAK SPACE}{2}").format(
        _COMPARATORS[claim["comparator"]] if stated else "", text, words
    )


def _multiple(exponent: int) -> str:
    return {0: "", 3: "thousand ", 6: "million ", 9: "billion "}[exponent]
