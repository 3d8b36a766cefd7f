{% macro balance_of_body() -%}
    {%- set columns = [
        "member_kind",
        "year",
        "period",
        "receipts_usd_m",
        "payments_usd_m",
        "balance_usd_m",
        "currency",
        "receipts",
        "payments",
        "balance",
        "receipts_status",
        "payments_status",
        "balance_status",
        "receipts_comparator",
        "payments_comparator",
        "balance_comparator",
        "withheld_receipts",
        "withheld_payments",
        "share_of_receipts_pct",
        "share_of_payments_pct",
        "rank_by_receipts",
        "receipts_ranked_among",
        "rank_by_payments",
        "payments_ranked_among",
        "receipts_growth_pct",
        "payments_growth_pct",
        "receipts_growth_stated_pct",
        "payments_growth_stated_pct",
        "balance_change_usd_m",
        "is_break_in_series",
        "is_computed",
        "has_missing_rate",
        "has_country_total",
        "source",
        "release_date",
    ] -%}
    {%- set breakdowns = ["partner", "sector", "category", "affiliation", "subdivision"] -%}
    with
        breakdowns as (
            {%- for dimension in breakdowns %}
                {%- for code, suffix in table_frequencies().items() %}
                    select
                        '{{ dimension }}' as of_breakdown,
                        '{{ code }}' as of_frequency,
                        reporter_code,
                        {{ dimension }}_code as member_code,
                        {{ dimension }}_name as member_name,
                        {{ columns | join(", ") }}
                    from
                        marts.flows_by_{{ dimension }}{{ suffix }}
                        {{ "union all" if not loop.last }}
                    {%- endfor %} {{ "union all" if not loop.last }}
            {%- endfor %}
        )

    select member_code, member_name, 'BPM6_SH' as concept, {{ columns | join(", ") }}
    from breakdowns
    where
        reporter_code = reporter
        and of_breakdown = case
            when breakdown in ('{{ breakdowns | join("', '") }}')
            then breakdown
            when breakdown = 'region'
            then 'subdivision'
            else error('breakdown must be one of {{ breakdowns | join(", ") }}')
        end
        and of_frequency = {{ table_frequency("frequency") }}
    order by period, member_code
{%- endmacro %}
