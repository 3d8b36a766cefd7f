-- World Development Indicators in the common shape. Plain US dollars become millions.
with
    final as (
        select
            observations.source,
            observations.release_date,
            coalesce(economies.economy_code, '_U') as reporter_code,
            'WLD' as partner_code,
            '_T' as sector_code,
            '_T' as category_code,
            '_T' as affiliation_code,
            '_T' as region_code,
            'BPM6_SH' as concept,
            observations.period,
            {{ period_frequency("observations.period") }} as frequency,
            case
                observations.indicator_code
                when 'BX.GSR.ROYL.CD'
                then 'receipts'
                when 'BM.GSR.ROYL.CD'
                then 'payments'
            end as flow,
            {{ millions("observations.value", "0") }} as value,
            'USD' as currency,
            {{ millions("observations.rounding", "0") }} as rounding,
            '=' as comparator,
            'A' as obs_status,
            'F' as conf_status,
            observations.file_name,
            observations.sheet_name,
            observations.row_number,
            observations.column_name
        from {{ ref("stg_worldbank_wdi__observations") }} as observations
        left join
            {{ ref("economy_code_map") }} as economy_code_map
            on observations.source = economy_code_map.source
            and observations.country_code = economy_code_map.source_code
        left join
            {{ ref("int_economies") }} as economies
            on coalesce(economy_code_map.economy_code, observations.country_code)
            = economies.economy_code
        where observations.indicator_code in ('BX.GSR.ROYL.CD', 'BM.GSR.ROYL.CD')
    )

select
    source,
    release_date,
    reporter_code,
    partner_code,
    sector_code,
    category_code,
    affiliation_code,
    region_code,
    concept,
    period,
    frequency,
    flow,
    value,
    currency,
    rounding,
    comparator,
    obs_status,
    conf_status,
    file_name,
    sheet_name,
    row_number,
    column_name
from final
