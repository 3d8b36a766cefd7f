{%- set marks = {"(*)": "N", "(D)": "Q", "n.a.": "L", ".....": "M"} %}
with
    observations as ({{ accepted_rows(source("raw", "bea_trade_by_area__observations")) }}),

    -- `0` is nil and exact; `(*)` is an amount below half a million. With any other mark the figure
    -- is missing.
    final as (
        select
            area,
            block,
            observations.year as period,
            case
                when value = '(*)'
                then 0
                when {{ has_figure("value") }}
                then {{ number_in("value") }}
            end as value,
            case
                when value = '0'
                then 0
                when value = '(*)'
                then 1
                when {{ has_figure("value") }}
                then {{ last_digit("value") }}
            end as rounding,
            {{ status_of_cell("value", marks) }} as obs_status,
            case when value = '(D)' then 'C' else 'F' end as conf_status,
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
