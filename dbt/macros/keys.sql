{#- The key of an observation within source and release, without the flow. Totals: partner WLD, the others _T. -#}
{% macro key_columns() -%}
    {{
        return(
            [
                "reporter_code",
                "partner_code",
                "sector_code",
                "category_code",
                "affiliation_code",
                "region_code",
                "concept",
                "period",
                "frequency",
            ]
        )
    }}
{%- endmacro %}

{#- The columns as a select list or a partition list, each with the prefix of a table alias if one is given. -#}
{% macro column_list(columns, alias=none) -%}
    {%- for column in columns -%}
        {{ alias ~ "." if alias }}{{ column }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Join condition: two aliases have the same values in the columns (none of which is ever NULL). -#}
{% macro equal_on(left, right, columns) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} = {{ right }}.{{ column }}{{ " and " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The dimensions that a flow is broken down by. -#}
{% macro dimensions() -%}
    {{ return(["partner", "sector", "category", "affiliation", "region"]) }}
{%- endmacro %}

{#- The code of the total in one dimension. -#}
{% macro total_of(dimension) -%} {{ "'WLD'" if dimension == "partner" else "'_T'" }} {%- endmacro %}

{#- Condition: every dimension except those named is at its total. -#}
{% macro at_total(alias, but=[]) -%}
    {%- set conditions = [] -%}
    {%- for dimension in dimensions() if dimension not in but -%}
        {%- do conditions.append(alias ~ "." ~ dimension ~ "_code = " ~ total_of(dimension)) -%}
    {%- endfor -%}
    {{ conditions | join(" and ") }}
{%- endmacro %}

{#- Condition: a code stands in a list of codes joined with `+`. -#}
{% macro in_list(code, codes) -%}
    '+' || {{ codes }} || '+' like '%+' || {{ code }} || '+%'
{%- endmacro %}

{#- Join condition between a part and the whole it is a share of, within one release, concept and period. With a
    partner, the whole is the world in the same other dimensions; otherwise one dimension alone is broken down, and
    the whole is the total of all. -#}
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
