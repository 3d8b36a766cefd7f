with
    observations as ({{ accepted_rows(source("raw", "boj_balance_of_payments__observations")) }}),

    final as (
        select
            series_code,
            substr(survey_date, 1, 4) || '-' || substr(survey_date, 5, 2) as period,
            {{ number_in("nullif(nullif(value, 'null'), '')") }} as value,
            {{ last_digit("nullif(nullif(value, 'null'), '')") }} as rounding,
            case when coalesce(value, 'null') in ('null', '') then 'O' else 'A' end as obs_status,
            'F' as conf_status,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            'VALUES' as column_name
        from observations
    )

select *
from final
