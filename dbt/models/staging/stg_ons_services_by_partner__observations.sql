{%- set marks = {"..": "Q", "[c]": "Q", "[x]": "L", "[z]": "M"} %}
with
    observations as ({{ accepted_rows(source("raw", "ons_services_by_partner__observations")) }}),

    final as (
        select
            country_code as area_code,
            country as area_name,
            case
                direction when 'Exports' then 'receipts' when 'Imports' then 'payments'
            end as flow,
            replace(period, 'Q', '-Q') as period,
            case when {{ has_figure("value") }} then {{ number_in("value") }} end as value,
            case when {{ has_figure("value") }} then {{ last_digit("value") }} end as rounding,
            {{ status_of_cell("value", marks) }} as obs_status,
            case when value in ('..', '[c]') then 'C' else 'F' end as conf_status,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            _column as column_name
        from observations
    )

select *
from final
