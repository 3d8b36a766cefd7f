-- Every measure that a published claim can be about, by release: all kinds of measures together.
-- Everything is computed from levels; a stated share or growth is only an input to another measure,
-- never its own answer. Money is in millions of `unit`; shares and growth in percent. `half_width`:
-- see int_levels_by_release.
{%- set columns = (
    ["source", "release_date"]
    + key_columns()
    + ["measure", "unit", "method", "is_stated", "found_value", "half_width"]
) %}
{%- set kinds = [
    "int_level_measures",
    "int_converted_measures",
    "int_part_measures",
    "int_share_measures",
    "int_growth_measures",
    "int_surplus_measures",
    "int_rank_measures",
] %}
{%- for kind in kinds %}
    select {{ column_list(columns) }} from {{ ref(kind) }} {{ "union all" if not loop.last }}
{%- endfor %}
