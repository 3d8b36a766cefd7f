-- Figures that one economy states about another, one row per side: receipts of the receiver,
-- payments of the payer. With each figure, in US dollars, the causes that may separate it from the
-- other side's:
-- rounding: half of the last digit stated;
-- currency: the standard deviation of the daily rate within the period, if the figure is not
-- stated in US dollars;
-- reporting method: the change in the figure if it were scaled from its source's own total with the
-- world to the total that the reporter's preferred source states.
-- Sums of months and quarters are left out: no source states them.
{%- set side = ["source", "concept", "period", "reporter_code", "partner_code", "flow"] %}
{%- set statement = side + ["currency"] %}
{%- set stated_usd_m = "case flows.flow when 'receipts' then stated.receipts_usd_m else stated.payments_usd_m end" %}
with
    flows as (select flow from (values ('receipts'), ('payments')) as listed(flow)),

    -- One condition, a sum, instead of five: DuckDB expects each condition to leave a fifth of the
    -- rows, and would hold the supposedly few in memory instead of the small tables joined to them.
    sides as (
        select
            stated.source,
            stated.concept,
            stated.period,
            stated.frequency,
            stated.reporter_code,
            stated.partner_code,
            flows.flow,
            stated.currency,
            {{ money(stated_usd_m) }} as stated_usd_m,
            case
                flows.flow when 'receipts' then stated.receipts_status else stated.payments_status
            end as status
        from {{ ref("fct_royalty_flows") }} as stated
        cross join flows
        where
            {{ broken_down("stated", but=["partner"]) }}
            + case when stated.is_computed then 1 else 0 end
            = 0
    ),

    totals as (
        select
            stated.source,
            stated.concept,
            stated.period,
            stated.reporter_code,
            flows.flow,
            {{ money(stated_usd_m) }} as stated_usd_m
        from {{ ref("fct_royalty_flows") }} as stated
        cross join flows
        where {{ at_total("stated") }}
    ),

    -- The share by which a source's figures would change, scaled to the preferred source's total.
    methods as (
        select
            totals.source,
            totals.concept,
            totals.period,
            totals.reporter_code,
            totals.flow,
            cast(
                first_value(totals.stated_usd_m) over (
                    partition by totals.concept, totals.period, totals.reporter_code, totals.flow
                    order by sources.precedence, totals.source
                ) as double
            )
            / nullif(totals.stated_usd_m, 0)
            - 1 as change
        from totals
        inner join {{ ref("dim_source") }} as sources on totals.source = sources.source
        where totals.stated_usd_m is not null
    ),

    -- Most sources, the largest among them, state exact numbers: a source that is not here has no
    -- rounding.
    rounded_sources as (
        select sources.source
        from {{ ref("dim_source") }} as sources
        where
            exists (
                select 1
                from {{ ref("fct_royalty_observations") }} as observations
                where observations.source = sources.source and observations.rounding > 0
            )
    ),

    -- The current statement per flow: texts state receipts in one release and payments in another.
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

    final as (
        select
            {{ column_list(side, "sides") }},
            sides.frequency,
            sides.stated_usd_m,
            sides.status,
            coalesce(
                roundings.rounding
                / 2
                / case when sides.currency = 'USD' then 1 else rates.units_per_usd end,
                0
            ) as rounding_usd_m,
            coalesce(
                case
                    when sides.currency <> 'USD'
                    then abs(sides.stated_usd_m) * rates.relative_deviation
                end,
                0
            ) as currency_usd_m,
            coalesce(abs(sides.stated_usd_m * methods.change), 0) as method_usd_m
        from sides
        inner join
            {{ ref("dim_reporter") }} as reporters
            on sides.reporter_code = reporters.reporter_code
            and reporters.kind = 'country'
        inner join
            {{ ref("dim_partner") }} as partners
            on sides.partner_code = partners.partner_code
            and partners.kind = 'country'
        left join
            methods
            on {{
                equal_on(
                    "sides", "methods", ["source", "concept", "period", "reporter_code", "flow"]
                )
            }}
        left join roundings on {{ equal_on("sides", "roundings", statement) }}
        left join
            {{ ref("int_exchange_rates") }} as rates
            on sides.currency = rates.currency
            and sides.period = rates.period
        where sides.stated_usd_m is not null or sides.status is not null
    )

select
    {{ column_list(side) }},
    frequency,
    stated_usd_m,
    status,
    rounding_usd_m,
    currency_usd_m,
    method_usd_m
from final
