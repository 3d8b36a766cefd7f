{{ config(materialized="ephemeral") }}

-- Levels of the year before, from what a release states about the change since.
{%- set key = ["source", "release_date"] + key_columns() %}
with
    derived as (
        select {{ column_list(key) }}, currency, measure, method, previous, previous_half
        from {{ ref("int_levels_of_two_years") }}
        where is_derived
    )

select
    {%- for column in key if column != "period" %} {{ column }}, {%- endfor %}
    {{ period_year_before("period") }} as period,
    measure,
    currency as unit,
    method,
    false as is_stated,
    previous as found_value,
    previous_half as half_width
from derived
