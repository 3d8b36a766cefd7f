{%- set marks = {"-": "L", "[c]": "Q", "[x]": "L", "[z]": "M"} %}
{%- set provisional = "case when period = latest_period then 'P' else 'A' end" %}
with
    cells as ({{ accepted_rows(source("raw", "ons_pink_book__intellectual_property")) }}),

    trimmed as (
        select
            trim(section) as section,
            trim(item) as item,
            trim(cdid) as cdid,
            period,
            trim(value) as cell,
            max(period) over (partition by _release, _file) as latest_period,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            _column as column_name
        from cells
    ),

    -- The mark is used where a type was not yet stated separately, so the value is not available,
    -- not
    -- nil. The latest year is provisional according to a note under the table.
    final as (
        select
            section,
            item,
            cdid,
            period,
            case when {{ has_figure("cell") }} then {{ number_in("cell") }} end as value,
            case when {{ has_figure("cell") }} then {{ last_digit("cell") }} else 0 end as rounding,
            {{ status_of_cell("cell", marks, normal=provisional) }} as obs_status,
            case when cell = '[c]' then 'C' else 'F' end as conf_status,
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
