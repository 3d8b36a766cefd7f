{#- Join condition between a part and the whole it is a share of, within one release, concept and period. With a
    partner, the whole is the world in the same other dimensions; otherwise only one dimension is broken down, and the
    whole is the total of all. -#}
{% macro part_of_whole(part, whole) -%}
    {{
        equal_on(
            part,
            whole,
            ["source", "release_date", "reporter_code", "concept", "period"],
        )
    }}
    and {{ whole }}.partner_code = 'WLD'
    and (
        (
            {{ part }}.partner_code <> 'WLD'
            and {{
                equal_on(
                    part,
                    whole,
                    [
                        "sector_code",
                        "category_code",
                        "affiliation_code",
                        "region_code",
                    ],
                )
            }}
        )
        or (
            {{ part }}.partner_code = 'WLD'
            and {{ at_total(whole) }}
            and {{ broken_down(part, but=["partner"]) }} = 1
        )
    )
{%- endmacro %}
