with
    figures as ({{ accepted_rows(source("raw", "published_figures__figures")) }}),

    final as (
        select
            figure_id,
            citation,
            publisher,
            cast(published_on as date) as published_on,
            published_on_precision,
            reporter,
            partner,
            sector,
            category,
            affiliation,
            region,
            concept,
            flow,
            period,
            measure,
            {{ number_in("value") }} as value,
            unit,
            cast(unit_multiplier as int) as unit_multiplier,
            {{ number_in("rounding") }} as rounding,
            comparator,
            stated_as,
            note,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number
        from figures
    )

select *
from final
