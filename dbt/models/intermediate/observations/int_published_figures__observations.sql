-- Levels stated in texts, in the common shape.
with
    final as (
        select
            source,
            release_date,
            {{ column_list(key_columns()) }},
            flow,
            value,
            currency,
            rounding,
            comparator,
            'A' as obs_status,
            'F' as conf_status,
            file_name,
            sheet_name,
            row_number,
            'value' as column_name
        from {{ in_changed_partitions(ref("int_published_figures__figures")) }}
        where measure = 'level'
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
