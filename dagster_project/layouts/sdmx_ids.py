"""Column names of SDMX dimensions and attributes."""

from functools import lru_cache

_OTHER_NAMES = {"structure_id": "dataflow", "obs_value": "value"}


@lru_cache(1024)
def column_of(identifier: str) -> str:
    """Return the raw table's column for a dimension or an attribute."""
    column = identifier.strip().lower().replace(" ", "_")
    return _OTHER_NAMES.get(column, column)
