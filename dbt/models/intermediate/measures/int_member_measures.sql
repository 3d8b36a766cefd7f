{{ config(materialized="ephemeral") }}

-- Level of one partner where a text states a share of several together (DEU+JPN+USA): what is
-- left of
-- that share in the total after the other partners.
{%- set key = ["source", "release_date"] + key_columns() %}
{%- set others = key | reject("equalto", "partner_code") | list + ["measure", "unit"] %}
with
    joint_levels as (
        select {{ column_list(key) }}, measure, unit, found_value, half_width
        from {{ ref("int_part_measures") }}
        where partner_code like '%+%'
    ),

    claimed_partners as (
        select distinct partner_code
        from {{ ref("published_claims") }}
        where partner_code not like '%+%'
    ),

    partners as (
        select {{ column_list(key) }}, measure, currency as unit, found_value, half_width
        from {{ ref("int_levels_by_release") }}
        where is_narrowest and partner_code not like '%+%'
    ),

    final as (
        select
            {%- for column in key if column != "partner_code" %}
                joint_levels.{{ column }},
            {%- endfor %}
            claimed_partners.partner_code,
            joint_levels.measure,
            joint_levels.unit,
            'joint share x total - the other partners' as method,
            false as is_stated,
            joint_levels.found_value - sum(rest.found_value) as found_value,
            joint_levels.half_width + sum(rest.half_width) as half_width
        from joint_levels
        inner join
            claimed_partners
            on {{ in_list("claimed_partners.partner_code", "joint_levels.partner_code") }}
        inner join
            partners as rest
            on {{ equal_on("joint_levels", "rest", others) }}
            and {{ in_list("rest.partner_code", "joint_levels.partner_code") }}
            and claimed_partners.partner_code <> rest.partner_code
        group by
            {{ column_list(others, "joint_levels") }},
            joint_levels.partner_code,
            joint_levels.found_value,
            joint_levels.half_width,
            claimed_partners.partner_code
        having
            count(*)
            = length(joint_levels.partner_code)
            - length(replace(joint_levels.partner_code, '+', ''))
    )

select {{ column_list(key) }}, measure, unit, method, is_stated, found_value, half_width
from final
