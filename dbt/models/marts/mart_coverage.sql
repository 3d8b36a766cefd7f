-- How complete the figures are: numbers stated, suppressed and missing by reporter, period, flow
-- and the dimension broken down, and how much of the stated total the stated parts cover, without
-- overlap: a group counts where the statement has none of its parts (int_covering_members).
{{
    config(
        materialized="incremental",
        meta={"partition_by": "source"},
    )
}}
{%- set grain = ["source", "concept", "reporter_code", "period", "frequency", "flow"] %}
{%- set members = [
    "partner_code",
    "sector_code",
    "category_code",
    "affiliation_code",
    "region_code",
] %}
{%- set part = grain + ["dimension", "member_code"] %}
{%- set figure = ["value_usd_m", "is_stated", "is_suppressed"] %}
with
    -- The same statements count as in fct_royalty_flows: for a source whose releases are complete,
    -- the latest release as a whole, so that figures it dropped are no longer stated; for one whose
    -- releases are additive, the latest statement of each key and flow. A release that states each
    -- number once, in one currency, needs no sorting, however many rows it has.
    known_sources as (
        {{
            known_sources(
                in_changed_partitions(ref("fct_royalty_observations")),
                ref("dim_source"),
                "observations.statement_number = 1",
            )
        }}
    ),

    known as not materialized(
        select
            {{ column_list(grain + members, "observations") }},
            observations.value_usd_m,
            observations.value,
            observations.conf_status,
            observations.release_date,
            observations.currency,
            known_sources.is_plain
        from {{ in_changed_partitions(ref("fct_royalty_observations")) }} as observations
        inner join known_sources on observations.source = known_sources.source
        where
            observations.statement_number = 1
            and (
                known_sources.releases_are <> 'complete'
                or observations.release_date = known_sources.latest_release
            )
    ),

    numbered as (
        select
            {{ column_list(grain + members) }},
            value_usd_m,
            value,
            conf_status,
            row_number() over (
                partition by {{ column_list(grain + members) }}
                order by release_date desc, case when currency = 'USD' then 0 else 1 end, currency
            ) as newest_first
        from known
        where not is_plain
    ),

    figures as not materialized(
        select {{ column_list(grain + members) }}, value_usd_m, value, conf_status
        from numbered
        where newest_first = 1
        union all
        select {{ column_list(grain + members) }}, value_usd_m, value, conf_status
        from known
        where is_plain
    ),

    -- The whole that a figure is a part of: the one dimension that is broken down, or none. One
    -- scan of the figures finds it, however many dimensions there are.
    parts as not materialized(
        select
            {{ column_list(grain) }},
            case
                {%- for dimension in dimensions() %}
                    when {{ dimension }}_code <> {{ total_of(dimension) }} then '{{ dimension }}'
                {%- endfor %}
                else 'total'
            end as dimension,
            case
                {%- for dimension in dimensions() %}
                    when {{ dimension }}_code <> {{ total_of(dimension) }} then {{ dimension }}_code
                {%- endfor %}
                else '_T'
            end as member_code,
            value_usd_m,
            value is not null as is_stated,
            coalesce(conf_status, 'F') <> 'F' as is_suppressed
        from figures
        where {{ broken_down("figures") }} <= 1
    ),

    parts_in_order as not materialized(
        select {{ column_list(part + figure, "parts") }}, covering_members.cover_order
        from parts
        left join
            {{ ref("int_covering_members") }} as covering_members
            on {{ equal_on("parts", "covering_members", ["dimension", "member_code"]) }}
            and covering_members.preferred_code is null
    ),

    -- Few parts are groups or details, so only they are compared with the others.
    parts_in_question as not materialized(
        select {{ column_list(part + figure) }} from parts_in_order where cover_order > 0
    ),

    overlapping_parts as (
        select distinct {{ column_list(part, "parts_in_question") }}
        from parts_in_question
        inner join
            {{ ref("int_covering_members") }} as covering_members
            on {{ equal_on("parts_in_question", "covering_members", ["dimension", "member_code"]) }}
        inner join
            parts
            on {{ equal_on("parts_in_question", "parts", grain + ["dimension"]) }}
            and covering_members.preferred_code = parts.member_code
        where parts.is_stated
    ),

    with_covers as (
        select
            {{ column_list(part + figure) }},
            dimension = 'total' or cover_order is not null as is_covering
        from parts_in_order
        where coalesce(cover_order, 0) = 0
        union all
        select
            {{ column_list(part + figure, "parts_in_question") }},
            overlapping_parts.member_code is null as is_covering
        from parts_in_question
        left join
            overlapping_parts on {{ equal_on("parts_in_question", "overlapping_parts", part) }}
    ),

    counted as (
        select
            {{ column_list(grain + ["dimension"]) }},
            sum(case when is_stated then 1 else 0 end) as figures_stated,
            sum(case when is_suppressed then 1 else 0 end) as figures_suppressed,
            sum(case when not is_stated and not is_suppressed then 1 else 0 end) as figures_missing,
            sum(case when is_suppressed and is_covering then 1 else 0 end) as parts_withheld,
            {{ exact_as_money("sum(case when is_covering then value_usd_m end)") }} as covered_usd_m
        from with_covers
        group by {{ column_list(grain + ["dimension"]) }}
    ),

    totals as (
        select {{ column_list(grain) }}, covered_usd_m as value_usd_m
        from counted
        where dimension = 'total'
    ),

    final as (
        select
            {{ column_list(grain, "counted") }},
            counted.dimension,
            cast(counted.figures_stated as bigint) as figures_stated,
            cast(counted.figures_suppressed as bigint) as figures_suppressed,
            cast(counted.figures_missing as bigint) as figures_missing,
            cast(counted.parts_withheld as bigint) as parts_withheld,
            counted.covered_usd_m,
            totals.value_usd_m as total_usd_m,
            {{ money("totals.value_usd_m - counted.covered_usd_m") }} as uncovered_usd_m,
            case
                when counted.flow <> 'balance'
                then {{ share_pct("counted.covered_usd_m", "totals.value_usd_m") }}
            end as coverage_pct
        from counted
        left join totals on {{ equal_on("counted", "totals", grain) }}
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
    parts_withheld,
    covered_usd_m,
    total_usd_m,
    uncovered_usd_m,
    coverage_pct
from final
order by reporter_code, period, source, concept, flow, dimension
