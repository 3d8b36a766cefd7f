{#- Statements in long form -> one row a key, with receipts, payments, balance and total side by side.
    A flow that nobody states, or that is suppressed, stays NULL: it is not zero. `columns` is the grain. -#}
{% macro flows_side_by_side(statements, columns) -%}
    select
        {{ column_list(columns) }},
        currency,
        max(release_date) as newest_release,
        count(value) as values_stated,
        {%- for flow in ["receipts", "payments", "balance", "total"] %}
            max(case when flow = '{{ flow }}' then value end) as {{ flow }}_stated,
            max(case when flow = '{{ flow }}' then value_usd_m end) as {{ flow }}_stated_usd_m,
            max(case when flow = '{{ flow }}' then rounding end) as {{ flow }}_rounding,
            max(case when flow = '{{ flow }}' then obs_status end) as {{ flow }}_status,
        {%- endfor %}
        max(case when rate_is_missing then 1 else 0 end) = 1 as rate_is_missing,
        max(case when is_computed then 1 else 0 end) = 1 as is_computed
    from {{ statements }}
    group by {{ column_list(columns) }}, currency
{%- endmacro %}

{#- Receipts, payments and balance in US dollars as marts show them. A balance that was computed stays the difference
    of the two beside it. -#}
{% macro flows_as_money(flows) -%}
    {%- set receipts = money(flows ~ ".receipts_usd_m") -%}
    {%- set payments = money(flows ~ ".payments_usd_m") -%}
    {{ receipts }} as receipts_usd_m,
    {{ payments }} as payments_usd_m,
    {{
        money(
            "case when "
            ~ flows
            ~ ".balance_is_stated then "
            ~ flows
            ~ ".balance_usd_m else "
            ~ receipts
            ~ " - "
            ~ payments
            ~ " end"
        )
    }} as balance_usd_m
{%- endmacro %}

{#- Whether a number is stated exactly (0), roughly (1) or as a bound (2). -#}
{% macro exactness(comparator) -%}
    case {{ comparator }} when '=' then 0 when '~' then 1 else 2 end
{%- endmacro %}

{#- Order in which statements of one flow count: the newest release first, a bound after all that is no bound. -#}
{% macro newest_statement_first(observations) -%}
    case when {{ exactness(observations ~ ".comparator") }} = 2 then 1 else 0 end,
    {{ observations }}.release_date desc
{%- endmacro %}

{#- One currency a key: that of the newest release, then the one with most values, then USD. -#}
{% macro currency_number(columns) -%}
    row_number() over (
        partition by {{ column_list(columns) }}
        order by
            newest_release desc,
            values_stated desc,
            case when currency = 'USD' then 0 else 1 end,
            currency
    )
{%- endmacro %}

{#- Each source with its latest release, and whether it is plain: its releases are complete, in one currency and of no
    period that could be added up, so that each key and flow has one row and nothing is to be chosen or computed.
    `known` is the condition for what counts. -#}
{% macro known_sources(observations, sources, known) -%}
    select
        observations.source,
        sources.releases_are,
        max(observations.release_date) as latest_release,
        sources.releases_are = 'complete'
        and min(observations.currency) = max(observations.currency)
        and max(case when observations.frequency in ('M', 'Q') then 1 else 0 end) = 0 as is_plain
    from {{ observations }} as observations
    inner join {{ sources }} as sources on observations.source = sources.source
    where {{ known }}
    group by observations.source, sources.releases_are
{%- endmacro %}

{#- What is known: one row a source and key, from every observation (`observations`, all releases) and the list of
    sources (`sources`). With `as_of` (SQL for a date) only releases published up to that day count.
    A source whose releases are complete counts with its latest release as a whole, so that vintages never mix;
    one whose releases are additive (statements in texts) with the latest statement of each key and flow; a bound (more
    than 127) only where nothing better is stated. Of months and quarters sums are made where nothing longer is
    stated. -#}
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
        -- Most sources state each number once a release, in one currency: nothing is to be chosen,
        -- and nothing of theirs is put in order or added up, however many rows they have.
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

        statements_in_force as (
            select {{ column_list(grain + stated) }}, comparator
            from numbered_statements
            where
                case
                    when releases_are = 'complete'
                    then release_date = latest_release
                    else newest_first = 1
                end
        ),

        statements_and_sums as ({{ with_sums_of_periods("statements_in_force", grain) }}),

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

        flows_in_force as (
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
            from flows_in_force
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
