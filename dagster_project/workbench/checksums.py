"""Row counts and checksums of tables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Checksum:
    """The content of a table: its number of rows, and the sum of their hashes.

    The order of the rows does not matter. The checksum depends on the version of DuckDB, whose
    `hash` may change.
    """

    row_count: int
    checksum: str

    def __str__(self) -> str:
        return f"{self.row_count:,} rows, checksum {self.checksum}"


# Row count and checksum of the rows of `whole_row`. Functions are named with their catalog: a macro
# `sum` in a file would hide DuckDB's own.
CHECKSUM = (
    "system.main.count(*), coalesce(system.main.sum(system.main.hash(whole_row)), 0)::varchar"
)


def checksum_query(table: str) -> str:
    """Return the query of row count and checksum of a table, or of a query in parentheses."""
    return f"select {CHECKSUM} from {table} as whole_row"
