{#- The current figures: one row per source and key, from every observation (`observations`, all releases) and the
    list of sources (`sources`). With `as_of` (SQL for a date) only releases published up to that day count. For a
    source whose releases are complete, its latest release counts as a whole, so that vintages never mix; for one
    whose releases are additive (statements in texts), the latest statement of each key and flow; a bound (more than
    127) only where nothing better is stated. Receipts of one text and payments of another make no balance and no
    total. Months and quarters are added up where no longer period is stated. -#}
{% macro royalty_flows(observations, sources, as_of=none) -%}
    {%- set grain = ["source"] + key_columns() -%}
    {%- set stated = [
        "release_date",
        "currency",
        "flow",
        "value",
        "value_usd_m",
        "rounding",
        "comparator",
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
        "is_of_one_release",
        "rate_is_missing",
        "is_computed",
        "receipts_status",
        "payments_status",
        "balance_status",
        "receipts_comparator",
        "payments_comparator",
        "balance_comparator",
        "receipts_rounding",
        "payments_rounding",
        "balance_rounding",
        "total_rounding",
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
            select {{ column_list(grain + stated) }}
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

        -- "More than 127" is not known to its last digit, so it gives nothing more exactly.
        exact_where_stated as (
            select
                {{ column_list(grain) }},
                newest_release,
                currency,
                {{ column_list(flows) }},
                balance_stated is not null
                and not (
                    is_of_one_release
                    and receipts_comparator = '='
                    and payments_comparator = '='
                    and {{ parts_are_more_exact("balance", "-") }}
                ) as balance_is_stated,
                total_stated is not null
                and not (
                    is_of_one_release
                    and receipts_comparator = '='
                    and payments_comparator = '='
                    and {{ parts_are_more_exact("total", "+") }}
                ) as total_is_stated
            from current_flows
        ),

        final as (
            select
                {{ column_list(key_columns()) }},
                source,
                newest_release as release_date,
                currency,
                receipts_stated as receipts,
                payments_stated as payments,
                {%- for unit in ["", "_usd_m"] %}
                    {{
                        exact(
                            "case when balance_is_stated then balance_stated"
                            ~ unit
                            ~ " when is_of_one_release then receipts_stated"
                            ~ unit
                            ~ " - payments_stated"
                            ~ unit
                            ~ " end"
                        )
                    }} as balance{{ unit }},
                    {{
                        exact(
                            "case when total_is_stated then total_stated"
                            ~ unit
                            ~ " when is_of_one_release then receipts_stated"
                            ~ unit
                            ~ " + payments_stated"
                            ~ unit
                            ~ " end"
                        )
                    }} as total_trade{{ unit }},
                {%- endfor %}
                receipts_stated_usd_m as receipts_usd_m,
                payments_stated_usd_m as payments_usd_m,
                balance_is_stated,
                is_computed,
                rate_is_missing,
                receipts_status,
                payments_status,
                balance_status,
                receipts_comparator,
                payments_comparator,
                case
                    when balance_is_stated
                    then balance_comparator
                    when is_of_one_release
                    then {{ comparator_of_parts("-") }}
                end as balance_comparator
            from exact_where_stated
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
        balance_status,
        receipts_comparator,
        payments_comparator,
        balance_comparator
    from final
{%- endmacro %}
