-- How much of what could be known is known: figures stated, suppressed and missing, by
-- reporter, year or other period, flow and the dimension that is broken down; and how much
-- of the stated total the stated parts cover. Parts that overlap (groups, aggregates) do
-- not count as covering.
{%- set breakdowns = {
    "partner": "members.kind = 'country'",
    "sector": "members.sector_level = 'section'",
    "category": "members.kind = 'ebops' and members.category_code <> 'SH'",
    "affiliation": "members.affiliation_code not in ('_T', '_U')",
    "region": "members.region_code not in ('_T', '_U')",
} %}
{%- set grain = ["source", "concept", "reporter_code", "period", "frequency", "flow"] %}
{%- set members = [
    "partner_code",
    "sector_code",
    "category_code",
    "affiliation_code",
    "region_code",
] %}
with
    -- A source with one release, one currency and no repeated statement has one row a key
    -- and flow: nothing of it is put in order, however many rows it has.
    plain_sources as (
        select source
        from {{ ref("fct_royalty_observations") }}
        group by source
        having
            min(release_date) = max(release_date)
            and min(currency) = max(currency)
            and max(statement_number) = 1
    ),

    -- The latest release of each key and flow.
    numbered as (
        select
            {{ listed(grain + members, "observations") }},
            observations.value_usd_m,
            observations.value,
            observations.conf_status,
            row_number() over (
                partition by
                    observations.source,
                    {{ listed(key_columns(), "observations") }},
                    observations.flow
                order by observations.release_date desc, observations.statement_number
            ) as newest_first
        from {{ ref("fct_royalty_observations") }} as observations
        where observations.source not in (select source from plain_sources)
    ),

    figures as (
        select {{ listed(grain + members) }}, value_usd_m, value, conf_status
        from numbered
        where newest_first = 1
        union all
        select {{ listed(grain + members) }}, value_usd_m, value, conf_status
        from {{ ref("fct_royalty_observations") }}
        where source in (select source from plain_sources)
    ),

    latest as (
        select
            {{ listed(grain + members) }},
            value_usd_m,
            value is not null as is_stated,
            coalesce(conf_status, 'F') <> 'F' as is_suppressed
        from figures
    ),

    totals as (select {{ listed(grain) }}, value_usd_m from latest where {{ at_total("latest") }}),

    parts as (
        {%- for dimension, is_covering in breakdowns.items() %}
            select
                {{ listed(grain, "latest") }},
                '{{ dimension }}' as dimension,
                latest.value_usd_m,
                latest.is_stated,
                latest.is_suppressed,
                coalesce({{ is_covering }}, false) as is_covering
            from latest
            left join
                {{ ref("dim_" ~ dimension) }} as members
                on latest.{{ dimension }}_code = members.{{ dimension }}_code
            where
                latest.{{ dimension }}_code <> {{ total_of(dimension) }}
                and {{ at_total("latest", but=[dimension]) }}
                {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    broken_down as (
        select
            {{ listed(grain) }},
            dimension,
            sum(case when is_stated then 1 else 0 end) as figures_stated,
            sum(case when is_suppressed then 1 else 0 end) as figures_suppressed,
            sum(case when not is_stated and not is_suppressed then 1 else 0 end) as figures_missing,
            sum(case when is_covering then value_usd_m end) as covered_usd_m
        from parts
        group by {{ listed(grain) }}, dimension
    ),

    total_rows as (
        select
            {{ listed(grain) }},
            'total' as dimension,
            case when is_stated then 1 else 0 end as figures_stated,
            case when is_suppressed then 1 else 0 end as figures_suppressed,
            case when not is_stated and not is_suppressed then 1 else 0 end as figures_missing,
            value_usd_m as covered_usd_m
        from latest
        where {{ at_total("latest") }}
    ),

    counted as (
        select
            {{ listed(grain) }},
            dimension,
            figures_stated,
            figures_suppressed,
            figures_missing,
            covered_usd_m
        from broken_down
        union all
        select
            {{ listed(grain) }},
            dimension,
            figures_stated,
            figures_suppressed,
            figures_missing,
            covered_usd_m
        from total_rows
    ),

    final as (
        select
            {{ listed(grain, "counted") }},
            counted.dimension,
            cast(counted.figures_stated as bigint) as figures_stated,
            cast(counted.figures_suppressed as bigint) as figures_suppressed,
            cast(counted.figures_missing as bigint) as figures_missing,
            {{ money("counted.covered_usd_m") }} as covered_usd_m,
            totals.value_usd_m as total_usd_m,
            {{ share_pct("counted.covered_usd_m", "totals.value_usd_m") }} as coverage_pct
        from counted
        left join totals on {{ same("counted", "totals", grain) }}
    )

select
    source,
    concept,
    reporter_code,
    period,
    frequency,
    flow,
    dimension,
    figures_stated,
    figures_suppressed,
    figures_missing,
    covered_usd_m,
    total_usd_m,
    coverage_pct
from final
order by reporter_code, period, source, concept, flow, dimension
