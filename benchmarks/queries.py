"""The analysts' queries of the docs, on the published file and on hand-made sorted Parquet."""

import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

# One per question of README.md and docs/, for the bulk source.
QUERIES = {
    "sector_of_a_half_year": """
        select sector_name, receipts_usd_m, payments_usd_m, share_of_receipts_pct
        from marts.mart_balance_by_sector where reporter_code = 'CHN' and period = '2018'""",
    "partners_of_a_year": """
        select partner_name, balance_usd_m, share_of_balance_pct, balance_change_usd_m
        from marts.mart_balance_by_partner
        where reporter_code = 'CHN' and period = '2018' and preferred and concept = 'BPM6_SH'
        order by balance_usd_m desc""",
    "claims": """
        select claim_id, stated_value, found_value, verdict, method
        from marts.mart_published_claims order by claim_id""",
    "cells_behind_a_number": """
        select flow, value, currency, file_name, sheet_name, column_name, row_number
        from core.fct_royalty_observations as observations
        where exists (
            select 1 from marts.mart_balance_by_category as mart
            where mart.reporter_code = 'GBR' and mart.period = '2019' and mart.preferred
            and mart.concept = 'BPM6_SH' and observations.source = mart.source
            and observations.concept = mart.concept and observations.period = mart.period
            and observations.reporter_code = mart.reporter_code
            and observations.category_code = mart.category_code
        ) and observations.reporter_code = 'GBR' and observations.period = '2019'
        order by flow""",
    "two_sides_of_one_flow": """
        select period, receipts_stated_usd_m, receipts_source, payments_stated_usd_m,
            payments_source, asymmetry_usd_m, asymmetry_pct, comparison
        from marts.mart_mirror_asymmetry
        where receiver_code = 'USA' and payer_code = 'GBR' and period >= '2019' order by period""",
    "what_is_not_known": """
        select flow, dimension, figures_stated, figures_suppressed, figures_missing, coverage_pct
        from marts.mart_coverage
        where source = 'oecd_wto_batis' and reporter_code = 'GBR' and period = '2019'
        order by flow, dimension""",
    "ranking_of_a_year": """
        select reporter_name, receipts_usd_m, rank_by_receipts from marts.mart_world_ranking
        where period = '2023' and concept = 'BPM6_SH' order by rank_by_receipts limit 20""",
    "a_series": """
        select period, receipts_usd_m, payments_usd_m, balance_usd_m from core.fct_royalty_flows
        where reporter_code = 'JPN' and partner_code = 'WLD' and concept = 'BPM6_SH' order by period""",
    "surplus_countries": """
        select period, count(*) as reporters, sum(balance_usd_m) as balance_usd_m
        from marts.mart_world_ranking
        where concept = 'BPM6_SH' and balance_usd_m > 0 group by period order by period""",
    "largest_partners_of_all_years": """
        select partner_name, sum(receipts_usd_m) as receipts_usd_m
        from marts.mart_balance_by_partner
        where reporter_code = 'USA' and concept = 'BPM6_SH' and partner_code <> 'WLD'
        group by partner_name order by receipts_usd_m desc limit 10""",
}
_TABLE = re.compile(r"\b(core|marts)\.(\w+)")
_TIMES = 15


def query_cases(warehouse: Path, pairs: int) -> dict[str, Any]:
    """Time each query on both, in turn; milliseconds. Raises AssertionError if answers differ."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 2}) as con:
        con.execute(f"attach '{warehouse}' as warehouse (read_only)")
        con.execute("use warehouse")
        tables = sorted(set(_TABLE.findall(" ".join(QUERIES.values()))))
        for schema, table in tables:
            columns = {name for name, *_ in con.execute(f"describe {schema}.{table}").fetchall()}
            order = [
                name
                for name in ("reporter_code", "receiver_code", "payer_code", "period", "source")
                if name in columns
            ]
            by = f"order by {', '.join(order)}" if order else ""
            con.execute(
                f"copy (from {schema}.{table} {by}) to '{folder}/{schema}.{table}.parquet'"
                " (format parquet, compression zstd, row_group_size 122880)"
            )
        for name, query in QUERIES.items():
            other = _TABLE.sub(rf"'{folder}/\1.\2.parquet'", query)
            assert sorted(con.execute(query).fetchall()) == sorted(con.execute(other).fetchall()), (
                name
            )
            ours, theirs = [], []
            for _ in range(max(_TIMES, pairs)):
                ours.append(_milliseconds(con, query))
                theirs.append(_milliseconds(con, other))
            found[name] = {
                "ms": round(statistics.median(ours), 2),
                "parquet_ms": round(statistics.median(theirs), 2),
                "ratio": round(
                    statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 3
                ),
            }
    return found


def _milliseconds(con: duckdb.DuckDBPyConnection, query: str) -> float:
    began = time.perf_counter()
    con.execute(query).fetchall()
    return (time.perf_counter() - began) * 1000
