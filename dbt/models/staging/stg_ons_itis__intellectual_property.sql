{%- set marks = {"-": "A", "..": "Q", "[c]": "Q", "[x]": "L", "[z]": "M"} %}
with
    cells as ({{ accepted_rows(source("raw", "ons_itis__intellectual_property")) }}),

    trimmed as (
        select
            trim(table_code) as table_code,
            trim(table_title) as table_title,
            trim(section) as section,
            trim(right_group) as right_group,
            trim(item) as item,
            trim(flow) as flow,
            period,
            trim(value) as cell,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            _column as column_name
        from cells
    ),

    -- The mark for nil also covers what rounds to zero, so its zero is a normal value that is exact
    -- to half a million.
    final as (
        select
            table_code,
            table_title,
            section,
            right_group,
            item,
            coalesce(right_group || ': ', '') || item as category_label,
            flow,
            period,
            case
                when cell = '-' then 0 when {{ has_figure("cell") }} then {{ number_in("cell") }}
            end as value,
            case
                when cell = '-'
                then 1
                when {{ has_figure("cell") }}
                then {{ last_digit("cell") }}
                else 0
            end as rounding,
            {{ status_of_cell("cell", marks) }} as obs_status,
            case when cell in ('..', '[c]') then 'C' else 'F' end as conf_status,
            source,
            release_date,
            file_name,
            sheet_name,
            row_number,
            column_name
        from trimmed
    )

select *
from final
