"""Values as SQL literals, where a statement takes no parameters."""

from collections.abc import Iterable
from datetime import date


def literal(value: str | date) -> str:
    """Return a text or a date as a SQL literal."""
    text = "'" + str(value).replace("'", "''") + "'"
    return f"date {text}" if isinstance(value, date) else text


def literal_list(values: Iterable[str | date]) -> str:
    """Return values as the right side of SQL's `in`, or as a row of `values`."""
    return f"({', '.join(map(literal, values))})"
