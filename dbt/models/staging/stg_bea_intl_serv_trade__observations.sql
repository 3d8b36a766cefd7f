{%- set marks = {"(*)": "N", "(D)": "Q", "n.a.": "L", ".....": "M"} %}
with
    observations as ({{ accepted_rows(source("raw", "bea_intl_serv_trade__observations")) }}),

    marked as (
        select
            observations.*,
            not coalesce(
                data_value = '(*)' or {{ has_figure("data_value") }}, false
            ) as has_no_figure
        from observations
    ),

    -- `0` is nil and exact; `(*)` is an amount below half a million. With any other mark the figure
    -- is missing.
    final as (
        select
            type_of_service,
            area_or_country as area,
            case
                affiliation
                when 'AllAffiliations'
                then '_T'
                when 'Affiliated'
                then 'AFFILIATED'
                when 'Unaffiliated'
                then 'UNAFFILIATED'
                else affiliation
            end as affiliation,
            case
                trade_direction
                when 'Exports'
                then 'receipts'
                when 'Imports'
                then 'payments'
                when 'Balance'
                then 'balance'
            end as flow,
            marked.year as period,
            case
                when data_value = '(*)'
                then 0
                when not has_no_figure
                then {{ number_in("data_value") }}
            end as value,
            case
                data_value
                when '0'
                then 0
                when '(*)'
                then 1
                else case when not has_no_figure then {{ last_digit("data_value") }} end
            end as rounding,
            {{ status_of_cell("data_value", marks) }} as obs_status,
            case when data_value = '(D)' then 'C' else 'F' end as conf_status,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            'DataValue' as column_name
        from marked
    )

select *
from final
