with
    observations as ({{ accepted(source("raw", "safe_bop_time_series__observations")) }}),

    -- Debits are written with a minus. A figure is rounded where it ends.
    final as (
        select
            case
                coalesce(entry, '')
                when ''
                then 'balance'
                when '贷方'
                then 'receipts'
                when '借方'
                then 'payments'
            end as flow,
            replace(period, 'Q', '-Q') as period,
            case
                when entry = '借方'
                then - cast(value as decimal(38, 10))
                else cast(value as decimal(38, 10))
            end as value,
            power(10e0, - length(split_part(value, '.', 2))) as rounding,
            case when value is null then 'M' else 'A' end as obs_status,
            'F' as conf_status,
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
