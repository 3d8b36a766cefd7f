-- How a number changed from one release that states it to the next, and the numbers that the next
-- release no longer states. Only sources whose releases restate the series: a later text with
-- another number is another statement, not a revision.
{%- set series = ["source"] + key_columns() + ["flow", "currency"] %}
{%- set window = ["source", "concept", "frequency", "flow", "currency"] %}
with
    -- A source with one release has nothing to compare, however many rows it has.
    restated_sources as (
        select observations.source
        from {{ ref("fct_royalty_observations") }} as observations
        inner join {{ ref("dim_source") }} as sources on observations.source = sources.source
        where sources.releases_are = 'complete'
        group by observations.source
        having min(observations.release_date) < max(observations.release_date)
    ),

    observations as (
        select
            {{ column_list(series, "stated") }},
            stated.release_date,
            stated.value,
            stated.rounding,
            stated.conf_status
        from {{ ref("fct_royalty_observations") }} as stated
        inner join restated_sources on stated.source = restated_sources.source
        where stated.statement_number = 1
    ),

    statements as (
        select {{ column_list(series) }}, release_date, value, rounding
        from observations
        where value is not null
    ),

    withheld as (
        select {{ column_list(series) }}, release_date
        from observations
        where value is null and conf_status = 'C'
    ),

    with_neighbours as (
        select
            {{ column_list(series) }},
            release_date,
            value,
            rounding,
            lag(release_date) over (
                partition by {{ column_list(series) }} order by release_date
            ) as previous_release_date,
            lag(value) over (
                partition by {{ column_list(series) }} order by release_date
            ) as previous_value,
            lag(rounding) over (
                partition by {{ column_list(series) }} order by release_date
            ) as previous_rounding,
            lead(release_date) over (
                partition by {{ column_list(series) }} order by release_date
            ) as next_statement
        from statements
    ),

    restated as (
        select
            {{ column_list(series) }},
            release_date,
            previous_release_date,
            value,
            previous_value,
            case
                when
                    {{
                        within_rounding(
                            "value", "rounding", "previous_value", "previous_rounding"
                        )
                    }}
                then 'unchanged'
                else 'changed'
            end as revision_kind
        from with_neighbours
        where previous_release_date is not null
    ),

    releases as (
        select
            source,
            release_date,
            lead(release_date) over (partition by source order by release_date) as next_release
        from (select distinct source, release_date from observations) as released
    ),

    -- First period of a release. A window that moves on has not dropped the periods before it; one
    -- that ends earlier has.
    windows as (
        select {{ column_list(window) }}, release_date, min(period) as first_period
        from statements
        group by {{ column_list(window) }}, release_date
    ),

    -- Economies that a code of the source no longer means from a release on: a union replaced by
    -- another is not a dropped figure.
    replaced_economies as (
        select releases.source, releases.next_release, ended.economy_code
        from releases
        inner join
            {{ ref("economy_code_map") }} as ended
            on releases.source = ended.source
            and {{ map_holds("ended", "releases.release_date") }}
            and not ({{ map_holds("ended", "releases.next_release") }})
        left join
            {{ ref("economy_code_map") }} as holding
            on releases.source = holding.source
            and ended.economy_code = holding.economy_code
            and {{ map_holds("holding", "releases.next_release") }}
        where holding.economy_code is null
    ),

    dropped as (
        select
            {{ column_list(series, "statements") }},
            releases.next_release as release_date,
            statements.release_date as previous_release_date,
            cast(null as decimal(18, 6)) as value,
            statements.value as previous_value,
            case when withheld.source is null then 'dropped' else 'withheld' end as revision_kind
        from with_neighbours as statements
        inner join
            releases
            on statements.source = releases.source
            and statements.release_date = releases.release_date
        inner join
            windows
            on {{ equal_on("statements", "windows", window) }}
            and releases.next_release = windows.release_date
        left join
            withheld
            on {{ equal_on("statements", "withheld", series) }}
            and releases.next_release = withheld.release_date
        left join
            replaced_economies as reporters
            on statements.source = reporters.source
            and statements.reporter_code = reporters.economy_code
            and releases.next_release = reporters.next_release
        left join
            replaced_economies as partners
            on statements.source = partners.source
            and statements.partner_code = partners.economy_code
            and releases.next_release = partners.next_release
        where
            coalesce(statements.next_statement > releases.next_release, true)
            and statements.period >= windows.first_period
            and reporters.economy_code is null
            and partners.economy_code is null
    ),

    revisions as (
        select
            {{ column_list(series) }},
            release_date,
            previous_release_date,
            value,
            previous_value,
            revision_kind
        from restated
        union all
        select
            {{ column_list(series) }},
            release_date,
            previous_release_date,
            value,
            previous_value,
            revision_kind
        from dropped
    ),

    final as (
        select
            {{ column_list(series) }},
            release_date,
            previous_release_date,
            revision_kind,
            value,
            previous_value,
            value - previous_value as change,
            {{ pct("100e0 * (value - previous_value) / nullif(abs(previous_value), 0)") }}
            as change_pct
        from revisions
    )

select
    {{ column_list(key_columns()) }},
    flow,
    source,
    release_date,
    previous_release_date,
    revision_kind,
    currency,
    value,
    previous_value,
    change,
    change_pct
from final
order by
    reporter_code,
    period,
    source,
    release_date,
    partner_code,
    sector_code,
    category_code,
    affiliation_code,
    region_code,
    concept,
    flow,
    currency
