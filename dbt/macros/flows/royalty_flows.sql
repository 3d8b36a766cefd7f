{#- The current figures: one row per source and key, from every observation (`observations`, all releases) and the
    list of sources (`sources`). With `as_of` (SQL for a date) only releases published up to that day count. For a
    source whose releases are complete, its latest release counts as a whole, so that vintages never mix; for one
    whose releases are additive (statements in texts), the latest statement of each key and flow; a bound (more than
    127) only where nothing better is stated. Months and quarters are added up where no longer period is stated. -#}
{% macro royalty_flows(observations, sources, as_of=none) -%}
    {%- set grain = ["source"] + key_columns() -%}
    {%- set stated = [
        "release_date",
        "currency",
        "flow",
        "value",
        "value_usd_m",
        "rounding",
        "obs_status",
        "rate_is_missing",
    ] -%}
    {%- set known -%}
        observations.statement_number = 1
        {%- if as_of %} and observations.release_date <= {{ as_of }}{% endif %}
    {%- endset -%}
    {%- set flows = [
        "receipts_stated",
        "payments_stated",
        "balance_stated",
        "total_stated",
        "receipts_stated_usd_m",
        "payments_stated_usd_m",
        "balance_stated_usd_m",
        "total_stated_usd_m",
        "rate_is_missing",
        "is_computed",
        "receipts_status",
        "payments_status",
        "balance_status",
    ] -%}
    with
        -- Most sources state each number once per release, in one currency: there is nothing to
        -- choose, so their rows are neither sorted nor added up, however many they are.
        known_sources as ({{ known_sources(observations, sources, known) }}),

        plain_statements as (
            select {{ column_list(grain + stated, "observations") }}, false as is_computed
            from {{ observations }} as observations
            inner join known_sources on observations.source = known_sources.source
            where
                {{ known }}
                and known_sources.is_plain
                and observations.release_date = known_sources.latest_release
        ),

        plain_flows as ({{ flows_side_by_side("plain_statements", grain) }}),

        numbered_statements as (
            select
                {{ column_list(grain + stated, "observations") }},
                observations.comparator,
                known_sources.releases_are,
                known_sources.latest_release,
                row_number() over (
                    partition by
                        {{ column_list(grain, "observations") }},
                        observations.currency,
                        observations.flow
                    order by {{ newest_statement_first("observations") }}
                ) as newest_first
            from {{ observations }} as observations
            inner join known_sources on observations.source = known_sources.source
            where {{ known }} and not known_sources.is_plain
        ),

        current_statements as (
            select {{ column_list(grain + stated) }}, comparator
            from numbered_statements
            where
                case
                    when releases_are = 'complete'
                    then release_date = latest_release
                    else newest_first = 1
                end
        ),

        statements_and_sums as ({{ with_sums_of_periods("current_statements", grain) }}),

        flows_by_currency as ({{ flows_side_by_side("statements_and_sums", grain) }}),

        numbered_flows as (
            select
                {{ column_list(grain) }},
                newest_release,
                currency,
                {{ column_list(flows) }},
                {{ currency_number(grain) }} as currency_number
            from flows_by_currency
        ),

        current_flows as (
            select {{ column_list(grain) }}, newest_release, currency, {{ column_list(flows) }}
            from plain_flows
            union all
            select {{ column_list(grain) }}, newest_release, currency, {{ column_list(flows) }}
            from numbered_flows
            where currency_number = 1
        ),

        final as (
            select
                {{ column_list(key_columns()) }},
                source,
                newest_release as release_date,
                currency,
                receipts_stated as receipts,
                payments_stated as payments,
                {{ exact("coalesce(balance_stated, receipts_stated - payments_stated)") }}
                as balance,
                {{ exact("coalesce(total_stated, receipts_stated + payments_stated)") }}
                as total_trade,
                receipts_stated_usd_m as receipts_usd_m,
                payments_stated_usd_m as payments_usd_m,
                {{
                    exact(
                        "coalesce(balance_stated_usd_m, receipts_stated_usd_m - payments_stated_usd_m)"
                    )
                }}
                as balance_usd_m,
                {{
                    exact(
                        "coalesce(total_stated_usd_m, receipts_stated_usd_m + payments_stated_usd_m)"
                    )
                }}
                as total_trade_usd_m,
                balance_stated is not null as balance_is_stated,
                is_computed,
                rate_is_missing,
                receipts_status,
                payments_status,
                balance_status
            from current_flows
        )

    select
        {{ column_list(key_columns()) }},
        source,
        release_date,
        currency,
        receipts,
        payments,
        balance,
        total_trade,
        receipts_usd_m,
        payments_usd_m,
        balance_usd_m,
        total_trade_usd_m,
        balance_is_stated,
        is_computed,
        rate_is_missing,
        receipts_status,
        payments_status,
        balance_status
    from final
{%- endmacro %}
