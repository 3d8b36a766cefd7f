-- Statements of texts and publishers other than levels: growth, shares, changes, ranks, first years
-- in surplus.
{%- set columns = (
    ["source", "release_date"]
    + key_columns()
    + [
        "flow",
        "measure",
        "value",
        "unit",
        "currency",
        "rounding",
        "comparator",
        "figure_id",
        "citation",
        "stated_as",
        "file_name",
        "row_number",
    ]
) %}
with
    final as (
        select {{ column_list(columns) }}, 'A' as obs_status
        from {{ ref("int_published_figures__figures") }}
        where measure <> 'level'
        union all
        select {{ column_list(columns) }}, obs_status
        from {{ ref("int_wto_stats__rates") }}
    )

select {{ column_list(columns) }}, obs_status
from final
