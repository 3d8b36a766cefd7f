{#- One row per country and period: the total with the world from the preferred source, for periods of one frequency. -#}
{% macro additive_flows_by_country(frequency) -%}
    with
        totals as ({{ charges_of_countries(frequency) }}),

        numbered_totals as (
            select
                totals.*,
                reporters.members,
                row_number() over (
                    partition by totals.reporter_code, totals.period
                    order by {{ preferred_statement_first("totals", "sources") }}
                ) as statement_number
            from totals
            inner join {{ ref("dim_source") }} as sources on totals.source = sources.source
            inner join
                {{ ref("dim_reporter") }} as reporters
                on totals.reporter_code = reporters.reporter_code
            where totals.has_figure or totals.has_withheld_flow
        ),

        -- The Channel Islands are not added to Guernsey and Jersey.
        chosen_totals as (
            select wholes.*
            from numbered_totals as wholes
            where
                wholes.statement_number = 1
                and not exists (
                    select 1
                    from numbered_totals as parts
                    where
                        parts.period = wholes.period
                        and {{ in_list("parts.reporter_code", "wholes.members") }}
                )
        ),

        with_year_before as (
            select
                totals.reporter_code,
                totals.reporter_name,
                totals.year,
                totals.period,
                {{ column_list(flow_columns(), "totals") }},
                totals.currency,
                {{ growth_in_one_release("totals", "previous") }},
                totals.is_break
                or {{ differs_from_last_statement("totals", "chosen_before") }}
                as is_break_in_series,
                totals.is_computed,
                totals.has_missing_rate,
                totals.source,
                totals.release_date
            from chosen_totals as totals
            left join
                totals as previous
                on {{
                    equal_on(
                        "totals",
                        "previous",
                        ["reporter_code", "source", "release_date", "currency"],
                    )
                }}
                and totals.year_before = previous.period
            left join
                chosen_totals as chosen_before
                on totals.reporter_code = chosen_before.reporter_code
                and totals.year_before = chosen_before.period
        ),

        -- Of the countries that had a figure the year before and have none now.
        largest_missing as (
            select
                periods.period,
                {%- for flow in ["receipts", "payments", "balance"] %}
                    max(
                        case when totals.{{ flow }}_usd_m is null then before.{{ flow }}_usd_m end
                    ) as {{ flow }}_usd_m{{ "," if not loop.last }}
                {%- endfor %}
            from (select distinct period, year_before from chosen_totals) as periods
            inner join
                chosen_totals as before
                on periods.year_before = before.period
                and before.members is null
            left join
                chosen_totals as totals
                on before.reporter_code = totals.reporter_code
                and periods.period = totals.period
            group by periods.period
        ),

        with_places as (
            select
                totals.*,
                {%- for flow in ["receipts", "payments", "balance"] %}
                    cast(
                        rank() over (
                            partition by totals.period
                            order by totals.{{ flow }}_usd_m desc nulls last
                        ) as bigint
                    ) as {{ flow }}_place,
                    cast(
                        count(totals.{{ flow }}_usd_m) over (partition by totals.period) as bigint
                    ) as {{ flow }}_competitors,
                    totals.{{ flow }}_usd_m is not null
                    and count(totals.{{ flow }}_usd_m) over (partition by totals.period)
                    >= {{ var("rank_needs_competitors") }}
                    and not coalesce(
                        largest_missing.{{ flow }}_usd_m >= totals.{{ flow }}_usd_m, false
                    ) as has_rank_by_{{ flow }}{{ "," if not loop.last }}
                {%- endfor %}
            from with_year_before as totals
            left join largest_missing on totals.period = largest_missing.period
        ),

        final as (
            select
                *,
                {%- for flow in ["receipts", "payments", "balance"] %}
                    case
                        when has_rank_by_{{ flow }} then {{ flow }}_place
                    end as rank_by_{{ flow }},
                    case
                        when has_rank_by_{{ flow }} then {{ flow }}_competitors
                    end as {{ flow }}_ranked_among{{ "," if not loop.last }}
                {%- endfor %}
            from with_places
        )

    select
        reporter_code,
        reporter_name,
        year,
        period,
        receipts_usd_m,
        payments_usd_m,
        balance_usd_m,
        currency,
        receipts,
        payments,
        balance,
        receipts_status,
        payments_status,
        balance_status,
        receipts_comparator,
        payments_comparator,
        balance_comparator,
        rank_by_receipts,
        receipts_ranked_among,
        rank_by_payments,
        payments_ranked_among,
        rank_by_balance,
        balance_ranked_among,
        receipts_growth_pct,
        payments_growth_pct,
        receipts_growth_stated_pct,
        payments_growth_stated_pct,
        balance_change_usd_m,
        is_break_in_series,
        is_computed,
        has_missing_rate,
        source,
        release_date
    from final
    order by period, reporter_code
{%- endmacro %}
