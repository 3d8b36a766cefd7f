-- One row per key and release, with the flows that the release states side by side. Covers
-- everything that published claims can be about (their reporters, and all totals with the world,
-- which compete for ranks) and the releases that state balances themselves. Where a release states
-- only the parts of a quarter or year, the quarter or year is their sum.
{{
    config(
        materialized="incremental",
        meta={"partition_by": ["source", "release_date"]},
    )
}}
{%- set grain = ["source", "release_date"] + key_columns() %}
with
    claims as (select distinct reporter_code from {{ ref("published_claims") }}),

    statements as (
        select
            {{ column_list(grain) }},
            currency,
            flow,
            value,
            value_usd_m,
            -- "More than 127" is 127 to 128: one unit of the last digit to one side.
            rounding * case when comparator in ('>', '<') then 2 else 1 end as rounding,
            comparator,
            obs_status,
            rate_is_missing
        from {{ in_changed_partitions(ref("int_observations")) }}
        where
            statement_number = 1
            and (
                partner_code = 'WLD'
                or reporter_code in (select reporter_code from claims)
                or (source, release_date) in (
                    select source, release_date
                    from {{ in_changed_partitions(ref("int_united_observations")) }}
                    where flow = 'balance'
                )
            )
    ),

    statements_and_sums as ({{ with_sums_of_periods("statements", grain) }}),

    flows_by_currency as ({{ flows_side_by_side("statements_and_sums", grain) }}),

    numbered_flows as (
        select
            {{ column_list(grain) }},
            currency,
            receipts_stated,
            payments_stated,
            balance_stated,
            total_stated,
            receipts_rounding,
            payments_rounding,
            balance_rounding,
            total_rounding,
            receipts_stated_usd_m,
            payments_stated_usd_m,
            balance_stated_usd_m,
            total_stated_usd_m,
            is_computed,
            {{ currency_number(grain) }} as currency_number
        from flows_by_currency
    ),

    -- The statement that is rounded more coarsely than its parts stays in int_observations.
    exact_where_stated as (
        select
            *,
            balance_stated is not null
            and not {{ parts_are_more_exact("balance", "-") }} as balance_is_stated,
            total_stated is not null
            and not {{ parts_are_more_exact("total", "+") }} as total_is_stated
        from numbered_flows
        where currency_number = 1
    ),

    final as (
        select
            {{ column_list(grain) }},
            currency,
            receipts_stated as receipts,
            payments_stated as payments,
            case
                when balance_is_stated then balance_stated else receipts_stated - payments_stated
            end as balance,
            case
                when total_is_stated then total_stated else receipts_stated + payments_stated
            end as total_trade,
            receipts_rounding,
            payments_rounding,
            case when balance_is_stated then balance_rounding end as balance_rounding,
            case when total_is_stated then total_rounding end as total_rounding,
            receipts_stated_usd_m as receipts_usd_m,
            payments_stated_usd_m as payments_usd_m,
            case
                when balance_is_stated
                then balance_stated_usd_m
                else receipts_stated_usd_m - payments_stated_usd_m
            end as balance_usd_m,
            case
                when total_is_stated
                then total_stated_usd_m
                else receipts_stated_usd_m + payments_stated_usd_m
            end as total_trade_usd_m,
            balance_is_stated,
            total_is_stated,
            is_computed
        from exact_where_stated
    )

select
    source,
    release_date,
    reporter_code,
    partner_code,
    sector_code,
    category_code,
    affiliation_code,
    region_code,
    concept,
    period,
    frequency,
    currency,
    receipts,
    payments,
    balance,
    total_trade,
    receipts_rounding,
    payments_rounding,
    balance_rounding,
    total_rounding,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    total_trade_usd_m,
    balance_is_stated,
    total_is_stated,
    is_computed
from final
