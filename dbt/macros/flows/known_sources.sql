{#- Each source with its latest release, and whether it is plain: its releases are complete, in one currency and
    without periods that could be added up, so that each key and flow has one row and there is nothing to choose or
    compute. `known` is the condition on statements that count. -#}
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
