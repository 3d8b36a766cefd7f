-- Figures that one economy states about another, one row per side: receipts of the receiver,
-- payments of the payer. With each figure, in US dollars, the causes that may separate it from the
-- other side's. Two change the figure, with a sign, if it is scaled from its source's own total
-- with
-- the world to the reporter's preferred total of the same flow:
-- vintage: that total comes from a later release of the same publisher;
-- method: another publisher states it, or the same one on the same day.
-- A preferred total that is older than the figure changes nothing: it was revised since.
-- Two are widths, without a sign:
-- rounding: half of the last digit stated;
-- currency: the standard deviation of the daily rate within the period, if the figure is not
-- stated in US dollars. It carries the sign of the figure, and is NULL if only an average is known.
-- Sums of months and quarters are left out: no source states them.
{%- set side = ["source", "concept", "period", "reporter_code", "partner_code", "flow"] %}
{%- set total = ["source", "concept", "period", "reporter_code", "flow"] %}
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
            stated.release_date,
            stated.currency,
            {{ exact_as_money(stated_usd_m) }} as stated_usd_m,
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
            stated.release_date,
            {{ exact_as_money(stated_usd_m) }} as stated_usd_m
        from {{ ref("fct_royalty_flows") }} as stated
        cross join flows
        where {{ at_total("stated") }}
    ),

    -- Each total beside the preferred one of its flow.
    compared_totals as (
        select
            {{ column_list(total, "totals") }},
            totals.release_date,
            totals.stated_usd_m,
            sources.publisher,
            {%- for column in ["totals.release_date", "totals.stated_usd_m", "sources.publisher"] %}
                first_value({{ column }}) over (
                    partition by {{ column_list(total[1:], "totals") }}
                    order by {{ preferred_source_first("totals", "sources") }}
                ) as preferred_{{ column.split(".")[1] }} {{ "," if not loop.last }}
            {%- endfor %}
        from totals
        inner join {{ ref("dim_source") }} as sources on totals.source = sources.source
        where totals.stated_usd_m is not null
    ),

    -- The share by which a source's figures would change, scaled to the preferred total.
    scales as (
        select
            {{ column_list(total) }},
            coalesce(
                cast(preferred_stated_usd_m as double) / nullif(stated_usd_m, 0) - 1, 0
            ) as change,
            publisher = preferred_publisher and release_date < preferred_release_date as is_revision
        from compared_totals
        where release_date <= preferred_release_date
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
            sides.release_date,
            sides.currency,
            sides.stated_usd_m,
            sides.status,
            {{
                money(
                    "sides.stated_usd_m * case when scales.is_revision then scales.change else 0 end"
                )
            }}
            as vintage_usd_m,
            {{
                money(
                    "sides.stated_usd_m * case when scales.is_revision then 0 else coalesce(scales.change, 0) end"
                )
            }}
            as method_usd_m,
            case
                when sides.stated_usd_m is not null
                then
                    coalesce(
                        {{
                            money(
                                "roundings.rounding / 2"
                                ~ " / case when sides.currency = 'USD' then 1 else rates.units_per_usd end"
                            )
                        }},
                        0
                    )
            end as rounding_range_usd_m,
            {{
                money(
                    "sides.stated_usd_m"
                    ~ " * case when sides.currency = 'USD' then 0 else rates.relative_deviation end"
                )
            }} as currency_range_usd_m
        from sides
        inner join
            {{ ref("dim_reporter") }} as reporters
            on sides.reporter_code = reporters.reporter_code
            and reporters.kind = 'country'
        inner join
            {{ ref("dim_partner") }} as partners
            on sides.partner_code = partners.partner_code
            and partners.kind = 'country'
        left join scales on {{ equal_on("sides", "scales", total) }}
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
    release_date,
    currency,
    stated_usd_m,
    status,
    vintage_usd_m,
    method_usd_m,
    rounding_range_usd_m,
    currency_range_usd_m
from final
