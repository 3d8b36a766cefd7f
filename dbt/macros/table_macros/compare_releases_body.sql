{% macro compare_releases_body() -%}
    {%- set series = key_columns() + ["flow", "currency"] -%}
    with
        {%- for side in ["earlier", "later"] %}
            {{ side }}_release as (
                select {{ column_list(series) }}, value, rounding, conf_status
                from core.fct_royalty_observations
                where
                    source = of_source
                    and release_date = case
                        when
                            (
                                select count(*)
                                from core.dim_release as releases
                                where
                                    releases.source = of_source
                                    and releases.release_date = cast({{ side }} as date)
                            )
                            > 0
                        then cast({{ side }} as date)
                        else error('the source has no such release: core.dim_release lists them')
                    end
                    and statement_number = 1
            ),
        {%- endfor %}

        compared as (
            select
                {%- for column in series %}
                    coalesce(
                        later_release.{{ column }}, earlier_release.{{ column }}
                    ) as {{ column }},
                {%- endfor %}
                case
                    when earlier_release.value is null
                    then 'added'
                    when later_release.value is not null
                    then 'revised'
                    when later_release.conf_status = 'C'
                    then 'withheld'
                    else 'dropped'
                end as what,
                earlier_release.value as earlier_value,
                later_release.value as later_value,
                {{
                    within_rounding(
                        "later_release.value",
                        "later_release.rounding",
                        "earlier_release.value",
                        "earlier_release.rounding",
                    )
                }} as is_unchanged
            from earlier_release
            full outer join
                later_release on {{ equal_on("earlier_release", "later_release", series) }}
        )

    select
        what,
        {{ column_list(series) }},
        earlier_value,
        later_value,
        later_value - earlier_value as change,
        {{ pct("100e0 * (later_value - earlier_value) / nullif(abs(earlier_value), 0)") }}
        as change_pct
    from compared
    where not coalesce(is_unchanged, earlier_value is null and later_value is null)
    order by {{ column_list(series) }}
{%- endmacro %}
