{% macro balance_of_body() -%}
    {%- set breakdowns = ["partner", "sector", "category", "region", "affiliation"] -%}
    with
        breakdowns as (
            {%- for dimension in breakdowns %}
                select
                    '{{ dimension }}' as dimension,
                    reporter_code,
                    {{ dimension }}_code as member_code,
                    {{ dimension }}_name as member_name,
                    member_kind,
                    period,
                    concept,
                    source,
                    receipts_usd_m,
                    payments_usd_m,
                    balance_usd_m,
                    share_of_receipts_pct,
                    share_of_payments_pct,
                    rank_by_receipts,
                    rank_by_payments,
                    receipts_growth_pct,
                    payments_growth_pct,
                    balance_change_usd_m
                from marts.mart_balance_by_{{ dimension }}
                where preferred {{ "union all" if not loop.last }}
            {%- endfor %}
        )

    select
        member_code,
        member_name,
        member_kind,
        period,
        concept,
        source,
        receipts_usd_m,
        payments_usd_m,
        balance_usd_m,
        share_of_receipts_pct,
        share_of_payments_pct,
        rank_by_receipts,
        rank_by_payments,
        receipts_growth_pct,
        payments_growth_pct,
        balance_change_usd_m
    from breakdowns
    where
        reporter_code = reporter
        and dimension = case
            when breakdown in ('{{ breakdowns | join("', '") }}')
            then breakdown
            else error('breakdown must be one of {{ breakdowns | join(", ") }}')
        end
    order by period, concept, member_code
{%- endmacro %}
