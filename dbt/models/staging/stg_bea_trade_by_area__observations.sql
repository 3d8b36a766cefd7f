with
    observations as ({{ accepted(source("raw", "bea_trade_by_area__observations")) }}),

    -- `0` is nil and exact; `(*)` is something below half a million.
    final as (
        select
            area,
            block,
            observations.year as period,
            case
                when value = '(*)'
                then 0
                when value not in ('(D)', 'n.a.', '.....')
                then {{ number_in("value") }}
            end as value,
            case
                when value = '0'
                then 0
                when value = '(*)'
                then 1
                when value not in ('(D)', 'n.a.', '.....')
                then {{ last_digit("value") }}
            end as rounding,
            case
                value when '(D)' then 'Q' when 'n.a.' then 'M' when '.....' then 'M' else 'A'
            end as obs_status,
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
