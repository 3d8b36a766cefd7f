-- What texts state besides levels: growth, shares, changes, ranks, first years in
-- surplus.
with
    final as (
        select
            source,
            release_date,
            {{ listed(key_columns()) }},
            flow,
            measure,
            value,
            unit,
            currency,
            rounding,
            comparator,
            figure_id,
            citation,
            stated_as,
            file_name,
            row_number
        from {{ ref("int_published_figures__figures") }}
        where measure <> 'level'
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
    measure,
    value,
    unit,
    currency,
    rounding,
    comparator,
    figure_id,
    citation,
    stated_as,
    file_name,
    row_number
from final
