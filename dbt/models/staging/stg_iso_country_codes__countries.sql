with
    countries as ({{ accepted_rows(source("raw", "iso_country_codes__countries")) }}),

    final as (
        select
            alpha_3 as iso3,
            alpha_2 as iso2,
            lpad(m49, 3, '0') as m49,
            region as un_region,
            subregion as un_subregion,
            coalesce(ldc = 'x', false) as is_least_developed,
            coalesce(sids = 'x', false) as is_small_island_state,
            replace(currencies, ',', '+') as currencies,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number
        from countries
    )

select *
from final
