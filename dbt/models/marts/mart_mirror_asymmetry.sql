{{
    config(
        pre_hook="set disabled_optimizers = 'build_side_probe_side'",
        post_hook="reset disabled_optimizers",
    )
}}

-- What one economy says it received from another against what the other says it paid.
-- A row for each pair of sources that state the two sides of one period. Sums of months and
-- quarters are left out: no source states them.
--
-- Three things are known to move the two figures apart, and each is given in US dollars:
-- rounding: half of the last digit stated, on both sides;
-- currency: the standard deviation of the daily rate within the period, on each side not
-- stated in US dollars;
-- reporting method: what either figure would change by if it were scaled from its source's
-- own total with the world to the total that the reporter's preferred source states.
--
-- Each join is written with the smaller side second, and the hooks keep it so: DuckDB takes the
-- small ones for the larger ones, and would hold the flows in memory three times over.
{%- set sides = {"receipts": "receiver", "payments": "payer"} %}
{%- set statement = [
    "source",
    "concept",
    "period",
    "reporter_code",
    "partner_code",
    "flow",
    "currency",
] %}
with
    totals as (
        select
            flows.source,
            flows.concept,
            flows.period,
            flows.reporter_code,
            sources.precedence,
            {{ money("flows.receipts_usd_m") }} as receipts_usd_m,
            {{ money("flows.payments_usd_m") }} as payments_usd_m
        from {{ ref("fct_royalty_flows") }} as flows
        inner join {{ ref("dim_source") }} as sources on flows.source = sources.source
        where {{ at_total("flows") }}
    ),

    {%- for flow in sides %}

        {{ flow }}_preferred_totals as (
            select concept, period, reporter_code, {{ flow }}_usd_m
            from
                (
                    select
                        concept,
                        period,
                        reporter_code,
                        {{ flow }}_usd_m,
                        row_number() over (
                            partition by concept, period, reporter_code order by precedence, source
                        ) as preference
                    from totals
                    where {{ flow }}_usd_m is not null
                ) as preferences
            where preference = 1
        ),
    {%- endfor %}

    -- What share a source's figures would change by, scaled to the preferred source's total.
    methods as (
        select
            totals.source,
            totals.concept,
            totals.period,
            totals.reporter_code,
            {%- for flow in sides %}
                cast({{ flow }}_preferred_totals.{{ flow }}_usd_m as double)
                / nullif(totals.{{ flow }}_usd_m, 0)
                - 1 as {{ flow }}_change
                {{- "," if not loop.last }}
            {%- endfor %}
        from totals
        {%- for flow in sides %}
            left join
                {{ flow }}_preferred_totals
                on {{
                    equal_on(
                        "totals",
                        flow ~ "_preferred_totals",
                        ["concept", "period", "reporter_code"],
                    )
                }}
        {%- endfor %}
    ),

    bilateral as not materialized(
        select
            flows.source,
            flows.concept,
            flows.period,
            flows.frequency,
            flows.reporter_code,
            flows.partner_code,
            flows.currency,
            {{ money("flows.receipts_usd_m") }} as receipts_usd_m,
            {{ money("flows.payments_usd_m") }} as payments_usd_m,
            flows.receipts_status,
            flows.payments_status,
            methods.receipts_change,
            methods.payments_change
        from {{ ref("fct_royalty_flows") }} as flows
        inner join
            {{ ref("dim_reporter") }} as reporters on flows.reporter_code = reporters.reporter_code
        inner join
            {{ ref("dim_partner") }} as partners on flows.partner_code = partners.partner_code
        left join
            methods
            on {{ equal_on("flows", "methods", ["source", "concept", "period", "reporter_code"]) }}
        where
            {{ at_total("flows", but=["partner"]) }}
            and reporters.kind = 'country'
            and partners.kind = 'country'
            and not flows.is_computed
    ),

    -- Most sources state exact numbers, and the widest do: what is not here has no rounding.
    rounded_sources as (
        select distinct source from {{ ref("fct_royalty_observations") }} where rounding > 0
    ),

    -- The statement in force, of each flow for itself: texts state receipts in one release and
    -- payments in another.
    numbered_statements as (
        select
            {{ column_list(statement, "observations") }},
            observations.rounding,
            row_number() over (
                partition by {{ column_list(statement, "observations") }}
                order by {{ newest_statement_first("observations") }}
            ) as newest_first
        from {{ ref("fct_royalty_observations") }} as observations
        inner join rounded_sources on observations.source = rounded_sources.source
        where observations.statement_number = 1 and {{ at_total("observations", but=["partner"]) }}
    ),

    roundings as (
        select {{ column_list(statement) }}, rounding
        from numbered_statements
        where newest_first = 1 and rounding > 0
    ),

    {%- for flow, role in sides.items() %}

        -- One side, with what its figure may be off by. Exact dollars apart from the rest: joined
        -- to roundings and rates, the widest sources would be held in memory whole.
        {{ flow }}_side as (
            select
                source,
                concept,
                period,
                frequency,
                reporter_code,
                partner_code,
                {{ flow }}_usd_m as stated_usd_m,
                {{ flow }}_status as status,
                cast(0 as double) as rounding_usd_m,
                cast(0 as double) as currency_usd_m,
                abs({{ flow }}_usd_m * {{ flow }}_change) as method_usd_m
            from bilateral
            where
                currency = 'USD'
                and source not in (select source from roundings)
                and ({{ flow }}_usd_m is not null or {{ flow }}_status is not null)
            union all
            select
                bilateral.source,
                bilateral.concept,
                bilateral.period,
                bilateral.frequency,
                bilateral.reporter_code,
                bilateral.partner_code,
                bilateral.{{ flow }}_usd_m as stated_usd_m,
                bilateral.{{ flow }}_status as status,
                case
                    when bilateral.currency = 'USD'
                    then roundings.rounding / 2
                    else roundings.rounding / 2 / rates.units_per_usd
                end as rounding_usd_m,
                case
                    when bilateral.currency = 'USD'
                    then 0
                    else abs(bilateral.{{ flow }}_usd_m) * rates.relative_deviation
                end as currency_usd_m,
                abs(bilateral.{{ flow }}_usd_m * bilateral.{{ flow }}_change) as method_usd_m
            from bilateral
            left join
                roundings
                on roundings.flow = '{{ flow }}'
                and {{
                    equal_on(
                        "bilateral", "roundings", statement | reject("equalto", "flow") | list
                    )
                }}
            left join
                {{ ref("int_exchange_rates") }} as rates
                on bilateral.currency = rates.currency
                and bilateral.period = rates.period
            where
                (bilateral.currency <> 'USD' or bilateral.source in (select source from roundings))
                and (
                    bilateral.{{ flow }}_usd_m is not null
                    or bilateral.{{ flow }}_status is not null
                )
        ),
    {%- endfor %}

    pairs as (
        select
            receipts_side.period,
            receipts_side.frequency,
            receipts_side.concept,
            receipts_side.reporter_code as receiver_code,
            payments_side.reporter_code as payer_code,
            receipts_side.stated_usd_m as receipts_stated_usd_m,
            receipts_side.source as receipts_source,
            receipts_side.status as receipts_status,
            payments_side.stated_usd_m as payments_stated_usd_m,
            payments_side.source as payments_source,
            payments_side.status as payments_status,
            {{ money("receipts_side.stated_usd_m - payments_side.stated_usd_m") }}
            as asymmetry_usd_m,
            coalesce(receipts_side.rounding_usd_m, 0)
            + coalesce(payments_side.rounding_usd_m, 0) as rounding_usd_m,
            coalesce(receipts_side.currency_usd_m, 0)
            + coalesce(payments_side.currency_usd_m, 0) as currency_usd_m,
            coalesce(receipts_side.method_usd_m, 0)
            + coalesce(payments_side.method_usd_m, 0) as method_usd_m
        from receipts_side
        inner join
            payments_side
            on receipts_side.reporter_code = payments_side.partner_code
            and receipts_side.partner_code = payments_side.reporter_code
            and {{ equal_on("receipts_side", "payments_side", ["concept", "period"]) }}
    ),

    final as (
        select
            period,
            frequency,
            concept,
            receiver_code,
            payer_code,
            receipts_stated_usd_m,
            receipts_source,
            receipts_status,
            payments_stated_usd_m,
            payments_source,
            payments_status,
            asymmetry_usd_m,
            {{
                pct(
                    "200e0 * asymmetry_usd_m / nullif(abs(receipts_stated_usd_m) + abs(payments_stated_usd_m), 0)"
                )
            }}
            as asymmetry_pct,
            case
                when asymmetry_usd_m is not null then {{ money("rounding_usd_m") }}
            end as rounding_usd_m,
            case
                when asymmetry_usd_m is not null then {{ money("currency_usd_m") }}
            end as currency_usd_m,
            case
                when asymmetry_usd_m is not null then {{ money("method_usd_m") }}
            end as method_usd_m,
            case
                when asymmetry_usd_m is not null
                then
                    {{
                        money(
                            "greatest(abs(asymmetry_usd_m) - rounding_usd_m - currency_usd_m - method_usd_m, 0)"
                        )
                    }}
            end as unexplained_usd_m,
            case
                when asymmetry_usd_m is not null
                then 'both stated'
                when receipts_stated_usd_m is null and payments_stated_usd_m is null
                then 'both withheld'
                when receipts_stated_usd_m is null
                then 'receipts withheld'
                else 'payments withheld'
            end as comparison
        from pairs
    )

select
    period,
    frequency,
    concept,
    receiver_code,
    payer_code,
    receipts_stated_usd_m,
    receipts_source,
    receipts_status,
    payments_stated_usd_m,
    payments_source,
    payments_status,
    asymmetry_usd_m,
    asymmetry_pct,
    rounding_usd_m,
    currency_usd_m,
    method_usd_m,
    unexplained_usd_m,
    comparison
from final
order by receiver_code, payer_code, period, concept, receipts_source, payments_source
