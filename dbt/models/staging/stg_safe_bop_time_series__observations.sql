with
    observations as ({{ accepted_rows(source("raw", "safe_bop_time_series__observations")) }}),

    -- Debits are written with a minus.
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
            case when entry = '借方' then -1 else 1 end * {{ number_in("value") }} as value,
            {{ last_digit("value") }} as rounding,
            case when value is null then 'O' else 'A' end as obs_status,
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
