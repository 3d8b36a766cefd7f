-- Every measure that a published claim can be about, by release: all kinds of measures together.
-- Everything is computed from levels; a stated share or growth is only an input to another measure,
-- never its own answer. Money is in millions of `unit`; shares and growth in percent. `half_width`:
-- see int_levels_by_release. `compared_with` is _Z ("not applicable") except for comparisons.
{%- set columns = (
    ["source", "release_date"]
    + key_columns()
    + ["measure", "unit", "method", "is_stated", "found_value", "half_width"]
) %}
{%- set kinds = [
    "int_level_measures",
    "int_converted_measures",
    "int_part_measures",
    "int_member_measures",
    "int_year_before_measures",
    "int_share_measures",
    "int_growth_measures",
    "int_surplus_measures",
    "int_rank_measures",
    "int_comparison_measures",
] %}
{%- for kind in kinds %}
    select
        {{ column_list(columns) }},
        {{ "compared_with" if kind == "int_comparison_measures" else "'_Z'" }} as compared_with
    from {{ ref(kind) }} {{ "union all" if not loop.last }}
{%- endfor %}
