-- BaTIS in the common shape, its three values as three concepts. The final value corresponds to
-- BPM6_SH elsewhere: reported, adjusted for consistency, estimated where missing.
with
    -- The WTO's mirror writes alpha-2 codes; no alpha-2 code is also a code of int_economies.
    alpha_2_codes as (
        select iso2, economy_code from {{ ref("int_economies") }} where iso2 is not null
    ),

    staged as (
        select
            observations.source,
            observations.release_date,
            coalesce(reporters.economy_code, observations.reporter) as reporter,
            coalesce(partners.economy_code, observations.partner) as partner,
            '_T' as sector,
            observations.item_code as category,
            '_T' as affiliation,
            '_T' as region,
            case
                observations.value_kind
                when 'final'
                then 'BPM6_SH'
                when 'reported'
                then 'BATIS_REPORTED'
                when 'balanced'
                then 'BATIS_BALANCED'
            end as concept,
            observations.period,
            observations.flow,
            observations.value,
            'USD' as currency,
            6 as unit_multiplier,
            0 as rounding,
            '=' as comparator,
            observations.obs_status,
            'F' as conf_status,
            observations.file_name,
            observations.sheet_name,
            observations.row_number,
            observations.column_name
        from {{ in_changed_partitions(ref("stg_oecd_wto_batis__observations")) }} as observations
        left join alpha_2_codes as reporters on observations.reporter = reporters.iso2
        left join alpha_2_codes as partners on observations.partner = partners.iso2
    )
    {{ conform_codes("staged") }}
