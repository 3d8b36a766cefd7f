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
        "obs_status",
        "figure_id",
        "citation",
        "stated_as",
        "file_name",
        "row_number",
    ]
) -%}
with final as (select {{ column_list(columns) }} from {{ ref("int_stated_rates") }})

select {{ column_list(columns) }}
from final
order by reporter_code, period, source, release_date, file_name, figure_id
