with
    observations as ({{ accepted_rows(source("raw", "safe_bop_time_series__observations")) }}),

    -- A sheet begins with zeros, in years before the item was compiled: no figures until one of the
    -- item's three entries has another.
    with_beginnings as (
        select
            *,
            max(case when {{ number_in("value") }} <> 0 then 1 else 0 end) over (
                partition by _source, _release, _file, _sheet, item order by period
            )
            = 0
            and {{ number_in("value") }} = 0 as is_placeholder
        from observations
    ),

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
            case
                when not is_placeholder
                then case when entry = '借方' then -1 else 1 end * {{ number_in("value") }}
            end as value,
            case when not is_placeholder then {{ last_digit("value") }} end as rounding,
            case
                when value is null then 'O' when is_placeholder then 'L' else 'A'
            end as obs_status,
            'F' as conf_status,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            _column as column_name
        from with_beginnings
    )

select *
from final
