-- Cells for area and industry hold code and name, which are split at the first blank.
{%- set marks = {"..": "Q", "[c]": "Q", "[x]": "L", "[z]": "M"} %}
with
    observations as ({{ accepted_rows(source("raw", "ons_trade_by_industry__observations")) }}),

    final as (
        select
            split_part(country, ' ', 1) as area_code,
            substr(country, length(split_part(country, ' ', 1)) + 2) as area_name,
            split_part(industry, ' ', 1) as industry_code,
            substr(industry, length(split_part(industry, ' ', 1)) + 2) as industry_name,
            case direction when 'EX' then 'receipts' when 'IM' then 'payments' end as flow,
            period,
            -- Exports are written with thousands commas.
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
