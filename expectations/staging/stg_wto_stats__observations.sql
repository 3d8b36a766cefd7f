-- name: growth_other_than_of_the_levels
select
    growth.source,
    growth.release_date,
    growth.file_name,
    growth.row_number,
    growth.indicator_code,
    growth.reporter,
    growth.item_code,
    growth.period,
    growth.value as stated,
    100 * (levels.value / year_before.value - 1) as found
from $batch as growth
join
    $batch as levels
    on levels.measure = 'level'
    and growth.release_date = levels.release_date
    and growth.indicator_code = levels.indicator_code || '_GR'
    and growth.reporter_number = levels.reporter_number
    and growth.partner_number = levels.partner_number
    and growth.item_code = levels.item_code
    and growth.period = levels.period
join
    $batch as year_before
    on year_before.measure = 'level'
    and year_before.release_date = levels.release_date
    and year_before.indicator_code = levels.indicator_code
    and year_before.reporter_number = levels.reporter_number
    and year_before.partner_number = levels.partner_number
    and year_before.item_code = levels.item_code
    and substr(year_before.period, 5) = substr(levels.period, 5)
    and cast(substr(year_before.period, 1, 4) as int) = cast(substr(levels.period, 1, 4) as int) - 1
where
    growth.measure = 'growth_pct'
    and year_before.value >= 1
    and abs(growth.value - 100 * (levels.value / year_before.value - 1)) > 1
;

-- name: months_other_than_their_quarter
select
    quarters.source,
    quarters.release_date,
    quarters.file_name,
    quarters.row_number,
    quarters.reporter,
    quarters.flow,
    quarters.item_code,
    quarters.period,
    quarters.value,
    sum(months.value) as months
from $batch as quarters
join
    $batch as months
    on months.measure = 'level'
    and months.release_date = quarters.release_date
    and months.reporter_number = quarters.reporter_number
    and months.partner_number = quarters.partner_number
    and months.item_code = quarters.item_code
    and months.flow = quarters.flow
    and months.concept = quarters.concept
    and months.period like '____-__'
    and months.period not like '%Q%'
    and substr(months.period, 1, 4) = substr(quarters.period, 1, 4)
    and ceil(cast(substr(months.period, 6) as double) / 3)
    = cast(substr(quarters.period, 7) as double)
where quarters.measure = 'level' and quarters.period like '%-Q%'
group by all
having count(months.value) = 3 and abs(sum(months.value) - quarters.value) > 0.01
;
