-- name: empty_columns
select _file, _sheet, _row, figure_id, citation, publisher, value, rounding, stated_as
from $batch
where
    figure_id is null
    or citation is null
    or publisher is null
    or value is null
    or rounding is null
    or stated_as is null
;

-- name: numbers_stated_twice
select _file, _sheet, _row, figure_id, reporter, partner, flow, period, measure, value
from
    (
        select
            *,
            count(*) over (
                partition by
                    _file,
                    reporter,
                    partner,
                    sector,
                    category,
                    affiliation,
                    region,
                    concept,
                    flow,
                    period,
                    measure
            ) as times
        from $batch
    ) as counted
where times > 1
order by
    reporter, partner, sector, category, affiliation, region, concept, flow, period, measure, _row
;

-- name: units_of_another_measure
select _file, _sheet, _row, figure_id, measure, unit
from $batch
where
    unit is null
    or case
        measure
        when 'level'
        then unit not in $currency_codes
        when 'change'
        then unit not in $currency_codes
        when 'rank'
        then unit <> 'rank'
        when 'first_year_in_surplus'
        then unit <> 'year'
        else unit <> 'percent'
    end
;

-- name: values_no_number
select _file, _sheet, _row, figure_id, value, rounding
from $batch
where
    not regexp_full_match(value, '-?[0-9]+([.][0-9]+)?')
    or not regexp_full_match(rounding, '-?[0-9]+([.][0-9]+)?')
    or try_cast(value as decimal(18, 6)) is null
    or abs(try_cast(value as double)) * power(10, coalesce(try_cast(unit_multiplier as integer), 0))
    >= 1e17
    or coalesce(try_cast(rounding as decimal(18, 6)), 0) <= 0
;
