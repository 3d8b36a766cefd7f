-- How a number moved from one release that states it to the next one. Only sources
-- whose releases restate the series:
-- a later text that states another number is another statement, not a revision.
{%- set series = ["source"] + key_columns() + ["flow", "currency"] %}
with
    -- Where there is one release nothing is compared, however many rows it has.
    restated_sources as (
        select observations.source
        from {{ ref("fct_royalty_observations") }} as observations
        inner join {{ ref("dim_source") }} as sources on observations.source = sources.source
        where sources.releases_are = 'complete'
        group by observations.source
        having min(observations.release_date) < max(observations.release_date)
    ),

    statements as (
        select {{ listed(series, "observations") }}, observations.release_date, observations.value
        from {{ ref("fct_royalty_observations") }} as observations
        inner join restated_sources on observations.source = restated_sources.source
        where observations.statement_number = 1 and observations.value is not null
    ),

    with_previous as (
        select
            {{ listed(series) }},
            release_date,
            value,
            lag(release_date) over (
                partition by {{ listed(series) }} order by release_date
            ) as previous_release_date,
            lag(value) over (
                partition by {{ listed(series) }} order by release_date
            ) as previous_value
        from statements
    ),

    final as (
        select
            {{ listed(series) }},
            release_date,
            previous_release_date,
            value,
            previous_value,
            {{ money("value - previous_value") }} as change,
            {{ pct("100e0 * (value - previous_value) / nullif(abs(previous_value), 0)") }}
            as change_pct
        from with_previous
        where previous_release_date is not null
    )

select
    {{ listed(key_columns()) }},
    flow,
    source,
    release_date,
    previous_release_date,
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
