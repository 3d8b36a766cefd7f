"""The floor: the work of the pipeline on one BaTIS file as a hand-written DuckDB script.

`python -m benchmarks.floor <landing file> <folder> [--all-items]` reads the file and publishes
<folder>/royalty_flows.duckdb. No ledger, no lineage of runs, no descriptions, no second source: the
cost that any implementation of this work has to pay.
"""

import argparse
from pathlib import Path
from string import Template

import pycountry

from benchmarks.by_hand import build_and_publish
from dagster_project.sources.code_lists import SEEDS

_SQL = Path(__file__).with_name("floor.sql")

_BALANCE_MART = """
create table candidate.marts.mart_balance_by_$dimension as
with flows as (
    select * from money where $only
),
compared as (
    select
        flows.*,
        reporters.kind as reporter_kind,
        $name as ${dimension}_name,
        $kind as member_kind,
        $ranked as is_ranked,
        totals.receipts_usd_m as of_receipts,
        totals.payments_usd_m as of_payments,
        totals.balance_usd_m as of_balance,
        $receipts_among as receipts_among,
        $payments_among as payments_among,
        $ranked and flows.receipts_usd_m >= of_receipts - $parts_receipts as ranks_by_receipts,
        $ranked and flows.payments_usd_m >= of_payments - $parts_payments as ranks_by_payments,
        before.receipts_usd_m::double as receipts_before,
        before.payments_usd_m::double as payments_before,
        before.balance_usd_m as balance_before
    from flows
    join candidate.core.dim_reporter as reporters using (reporter_code)
    left join totals using (concept, reporter_code, period)
    left join flows as before
        on flows.concept = before.concept and flows.reporter_code = before.reporter_code
        and flows.partner_code = before.partner_code
        -- Not as a condition beside the keys: DuckDB would compare row by row.
        and case when reporters.kind <> 'aggregate' then (flows.period::int - 1)::varchar end
            = before.period
    $members
)
select
    reporter_code, reporter_kind, ${dimension}_code, ${dimension}_name, member_kind, period, frequency,
    source, release_date, concept, true as preferred, receipts_usd_m, payments_usd_m, balance_usd_m,
    currency, receipts, payments, balance, receipts_status, payments_status, balance_status,
    receipts_comparator, payments_comparator, balance_comparator,
    round(cast(100e0 * receipts_usd_m / nullif(of_receipts, 0) as double), 4) + 0e0 as share_of_receipts_pct,
    round(cast(100e0 * payments_usd_m / nullif(of_payments, 0) as double), 4) + 0e0 as share_of_payments_pct,
    round(cast(100e0 * balance_usd_m / nullif(of_balance, 0) as double), 4) + 0e0 as share_of_balance_pct,
    case when ranks_by_receipts and receipts_among > 1 then rank() over (
        partition by concept, reporter_code, period
        order by case when is_ranked then receipts_usd_m end desc nulls last
    ) end as rank_by_receipts,
    case when ranks_by_receipts and receipts_among > 1 then receipts_among end as receipts_ranked_among,
    case when ranks_by_payments and payments_among > 1 then rank() over (
        partition by concept, reporter_code, period
        order by case when is_ranked then payments_usd_m end desc nulls last
    ) end as rank_by_payments,
    case when ranks_by_payments and payments_among > 1 then payments_among end as payments_ranked_among,
    round(cast(case when receipts_before > 0
        then 100e0 * (receipts_usd_m - receipts_before) / receipts_before end as double), 4) + 0e0
    as receipts_growth_pct,
    round(cast(case when payments_before > 0
        then 100e0 * (payments_usd_m - payments_before) / payments_before end as double), 4) + 0e0
    as payments_growth_pct,
    receipts_growth_pct as receipts_growth_stated_pct,
    payments_growth_pct as payments_growth_stated_pct,
    cast(balance_usd_m - coalesce(balance_before, receipts_before - payments_before) as decimal(18, 6))
    as balance_change_usd_m,
    false as previous_is_derived,
    false as is_computed
from compared
order by reporter_code, period, source, concept, ${dimension}_code;
"""

# What competes with each other, and what the parts of a total add up to: only partners do.
_COMPETITION = """
create temp table competition as
select
    concept, reporter_code, period,
    count(receipts_usd_m) filter (kind = 'country') as receipts_among,
    count(payments_usd_m) filter (kind = 'country') as payments_among,
    coalesce(sum(receipts_usd_m), 0) as parts_receipts,
    coalesce(sum(payments_usd_m), 0) as parts_payments
from money
join candidate.core.dim_partner as partners using (partner_code)
where kind = 'country' or (kind = 'unallocated' and partner_code not in ('_U', '_X'))
group by all;
"""


def _balance_marts() -> str:
    """The five balance marts: by partner in full; of the others this source has the total alone."""
    marts = [
        _COMPETITION,
        Template(_BALANCE_MART).substitute(
            dimension="partner",
            only="true",
            name="members.partner_name",
            kind="case when flows.partner_code = 'WLD' then 'total'"
            " when members.kind = 'unallocated' then 'residual' else members.kind end",
            ranked="(members.kind = 'country')",
            receipts_among="coalesce(competition.receipts_among, 0)",
            payments_among="coalesce(competition.payments_among, 0)",
            parts_receipts="coalesce(competition.parts_receipts, 0)",
            parts_payments="coalesce(competition.parts_payments, 0)",
            members="join candidate.core.dim_partner as members"
            " on flows.partner_code = members.partner_code"
            " left join competition on flows.concept = competition.concept"
            " and flows.reporter_code = competition.reporter_code"
            " and flows.period = competition.period",
        ),
    ]
    for dimension in ("sector", "category", "affiliation", "region"):
        name = "'All subdivisions'" if dimension == "region" else f"members.{dimension}_name"
        members = (
            ""
            if dimension == "region"
            else f"join candidate.core.dim_{dimension} as members"
            f" on flows.{dimension}_code = members.{dimension}_code"
        )
        marts.append(
            Template(_BALANCE_MART).substitute(
                dimension=dimension,
                only="partner_code = 'WLD'",
                name=name,
                kind="'total'",
                ranked="false",
                receipts_among="0",
                payments_among="0",
                parts_receipts="0",
                parts_payments="0",
                members=members,
            )
        )
    return "\n".join(marts)


def build(csv: Path, folder: Path, all_items: bool) -> None:
    """Read a bulk file, build, judge and publish. Raises AssertionError if a gate finds rows."""
    folder.mkdir(parents=True, exist_ok=True)
    candidate = folder / "candidate.duckdb"
    iso = Path(pycountry.DATABASE_DIR) / "iso3166-1.json"
    sql = Template(_SQL.read_text("utf-8")).substitute(
        csv=csv,
        file=csv.name,
        release=csv.parent.name,
        keep="true" if all_items else "item_code = 'SH'",
        seeds=SEEDS,
        iso=iso,
        balance_marts=_balance_marts(),
    )
    build_and_publish(sql, candidate)


def main() -> None:
    """Build once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all-items", action="store_true")
    options = parser.parse_args()
    build(options.csv, options.folder, options.all_items)


if __name__ == "__main__":
    main()
