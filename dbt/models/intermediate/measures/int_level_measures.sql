{{ config(materialized="ephemeral") }}

-- Receipts, payments, balance and total trade in the currency that the release states.
{%- set key = ["source", "release_date"] + key_columns() %}
select {{ column_list(key) }}, measure, currency as unit, method, is_stated, found_value, half_width
from {{ ref("int_levels_by_release") }}
