"""Whether pipeline and floor have published the same, row for row; and the generator's totals.

`python -m benchmarks.compare <pipeline's published file> <floor's published file>` exits with 1 and
names the tables that differ.
"""

import sys
from pathlib import Path

import duckdb

from dagster_project.publication.comparison import rows_apart

SOURCE = "oecd_wto_batis"
# Table -> columns that only one side can have: the pipeline numbers the rows of small files.
TABLES = {
    "core.fct_royalty_observations": "row_number",
    "core.fct_royalty_flows": "",
    "core.dim_period": "",
    "marts.mart_balance_by_partner": "",
    "marts.mart_balance_by_sector": "sector_name",
    "marts.mart_balance_by_category": "category_name",
    "marts.mart_balance_by_affiliation": "affiliation_name",
    "marts.mart_balance_by_region": "region_name",
    "marts.mart_world_ranking": "",
    "marts.mart_mirror_asymmetry": "",
    "marts.mart_coverage": "",
}


def differences(pipeline: Path, floor: Path) -> list[str]:
    """Return a line for each table that differs, with the number of rows on each side alone."""
    lines = []
    with duckdb.connect() as con:
        con.execute(f"attach '{pipeline}' as pipeline (read_only)")
        con.execute(f"attach '{floor}' as floor (read_only)")
        for table, left_out in TABLES.items():
            columns = [
                name
                for (name,) in con.execute(
                    "select column_name from duckdb_columns() where database_name = 'pipeline'"
                    " and schema_name || '.' || table_name = ? order by column_index",
                    [table],
                ).fetchall()
                if name != left_out
            ]
            listed = ", ".join(columns)
            where = {
                "source": f"source = '{SOURCE}'",
                "receipts_source": f"receipts_source = '{SOURCE}' and payments_source = '{SOURCE}'",
            }
            only = next((where[name] for name in where if name in columns), "true")
            one = f"select {listed} from pipeline.{table} where {only}"
            other = f"select {listed} from floor.{table}"
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
