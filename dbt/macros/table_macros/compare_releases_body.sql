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

        members as (
            select
                aggregate_code,
                member_code,
                max(case when release_date = cast(earlier as date) then 1 else 0 end) as in_earlier,
                max(case when release_date = cast(later as date) then 1 else 0 end) as in_later
            from core.dim_aggregate_member
            where
                source = of_source and release_date in (cast(earlier as date), cast(later as date))
            group by aggregate_code, member_code
        ),

        compositions as (
            select
                aggregate_code,
                case
                    when max(in_earlier) = 1 and max(in_later) = 1
                    then min(in_earlier + in_later) = 2
                end as has_same_members
            from members
            group by aggregate_code
        ),

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
        case
            when compared.what = 'revised' and not coalesce(compositions.has_same_members, true)
            then 'composition'
            else compared.what
        end as what,
        {{ column_list(series, "compared") }},
        compared.earlier_value,
        compared.later_value,
        case
            when coalesce(compositions.has_same_members, true)
            then compared.later_value - compared.earlier_value
        end as change,
        case
            when coalesce(compositions.has_same_members, true)
            then {{ change_pct("compared.later_value", "compared.earlier_value") }}
        end as change_pct,
        case
            when reporters.kind = 'aggregate' or partners.kind = 'aggregate'
            then compositions.has_same_members
            else true
        end as has_same_members
    from compared
    inner join core.dim_reporter as reporters on compared.reporter_code = reporters.reporter_code
    left join
        core.dim_partner as partners
        on compared.partner_code = partners.partner_code
        and partners.partner_code <> 'WLD'
    left join
        compositions
        on compositions.aggregate_code = case
            when partners.kind is null or partners.kind <> 'aggregate'
            then compared.reporter_code
            when reporters.kind <> 'aggregate'
            then compared.partner_code
        end
    where
        not coalesce(
            compared.is_unchanged, compared.earlier_value is null and compared.later_value is null
        )
    order by {{ column_list(series, "compared") }}
{%- endmacro %}
