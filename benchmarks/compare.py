"""Whether pipeline and floor have published the same, row for row; and the generator's totals.

`python -m benchmarks.compare <pipeline's published file> <floor's published file>` exits with 1 and
names the tables that differ.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.publication.comparison import rows_apart

SOURCE = "oecd_wto_batis"
# Table -> columns that only the pipeline has: it numbers the rows of small files, and shows
# beside an aggregate's totals what mart_aggregates knows about its members.
_OF_MEMBERS = ("reporters_counted_receipts", "reporters_counted_payments")
TABLES: dict[str, tuple[str, ...]] = {
    "core.fct_royalty_observations": ("row_number",),
    "core.fct_royalty_flows": (),
    "core.dim_period": (),
    "marts.mart_balance_by_partner": _OF_MEMBERS,
    "marts.mart_balance_by_sector": _OF_MEMBERS,
    "marts.mart_balance_by_category": _OF_MEMBERS,
    "marts.mart_balance_by_affiliation": _OF_MEMBERS,
    "marts.mart_balance_by_region": _OF_MEMBERS,
    "marts.mart_world_ranking": (),
    "marts.mart_mirror_asymmetry": (),
    "marts.mart_coverage": (),
}
_GROWTH = tuple(
    f"{flow}_growth{stated}_pct" for flow in ("receipts", "payments") for stated in ("", "_stated")
)


def _selected(column: str, columns: list[str]) -> str:
    """SQL: a column as both sides have it."""
    if column in _GROWTH and "reporter_kind" in columns:
        return f"case when reporter_kind <> 'aggregate' then {column} end as {column}"
    return column


def differences(
    pipeline: Path,
    floor: Path,
    source: str = SOURCE,
    tables: Mapping[str, tuple[str, ...]] = TABLES,
) -> list[str]:
    """Return a line for each table that differs, with the number of rows on each side alone.

    Only the rows of one source are compared.
    """
    lines = []
    with duckdb.connect() as con:
        con.execute(f"attach '{pipeline}' as pipeline (read_only)")
        con.execute(f"attach '{floor}' as floor (read_only)")
        for table, left_out in tables.items():
            columns = [
                name
                for (name,) in con.execute(
                    "select column_name from duckdb_columns() where database_name = 'pipeline'"
                    " and schema_name || '.' || table_name = ? order by column_index",
                    [table],
                ).fetchall()
                if name not in left_out
            ]
            listed = ", ".join(_selected(column, columns) for column in columns)
            where = {
                "source": f"source = '{source}'",
                "receipts_source": f"receipts_source = '{source}' and payments_source = '{source}'",
            }
            only = next((where[name] for name in where if name in columns), "true")
            one = f"select {listed} from pipeline.{table} where {only}"
            other = f"select {listed} from floor.{table} where {only}"
            counts = rows_apart(con, one, other)
            if any(counts):
                lines.append(
                    f"{table}: {counts[0]:,} rows of the pipeline alone, {counts[1]:,} of"
                    " the floor alone"
                )
    return lines


if __name__ == "__main__":
    found = differences(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(found) or "the same rows in every table")
    sys.exit(bool(found))
