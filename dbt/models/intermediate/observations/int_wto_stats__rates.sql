-- Growth that the WTO states, in the columns of int_stated_rates. A rate is not a level: nothing
-- here is ever added up.
with
    economy_numbers as (
        select m49, economy_code from {{ ref("int_economies") }} where m49 is not null
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
            observations.concept,
            observations.period,
            observations.flow,
            observations.value,
            cast(null as string) as currency,
            6 as unit_multiplier,
            observations.rounding,
            '=' as comparator,
            observations.obs_status,
            'F' as conf_status,
            observations.measure,
            'percent' as unit,
            observations.indicator_code
            || '.'
            || observations.reporter_number
            || '.'
            || observations.partner_number
            || '.'
            || observations.item_code
            || '.'
            || observations.period as figure_id,
            'World Trade Organization, WTO Stats' as citation,
            observations.stated_as,
            observations.file_name,
            observations.sheet_name,
            observations.row_number,
            observations.column_name
        from {{ in_changed_partitions(ref("stg_wto_stats__observations")) }} as observations
        left join economy_numbers as reporters on observations.reporter = reporters.m49
        left join economy_numbers as partners on observations.partner = partners.m49
        where observations.measure <> 'level' and observations.value is not null
    )
    {{
        conform_codes(
            "staged",
            further_columns=["measure", "unit", "figure_id", "citation", "stated_as"],
        )
    }}
