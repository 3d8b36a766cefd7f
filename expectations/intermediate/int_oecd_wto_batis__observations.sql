-- name: exports_other_than_mirror_imports
select
    exports.source,
    exports.release_date,
    exports.reporter_code,
    exports.partner_code,
    exports.category_code,
    exports.period,
    exports.value,
    imports.value as mirror
from $batch as exports
join
    $batch as imports
    on exports.release_date = imports.release_date
    and exports.concept = imports.concept
    and exports.period = imports.period
    and exports.category_code = imports.category_code
    and exports.reporter_code = imports.partner_code
    and exports.partner_code = imports.reporter_code
where
    exports.concept = 'BATIS_BALANCED'
    and exports.flow = 'receipts'
    and imports.flow = 'payments'
    and abs(exports.value - imports.value) > 0.001
;

-- name: countries_other_than_the_world
select
    countries.source,
    countries.release_date,
    countries.concept,
    countries.reporter_code,
    countries.flow,
    countries.category_code,
    countries.period,
    max(world.value) as world,
    sum(countries.value) as parts
from $batch as countries
join
    intermediate.int_economies as economies
    on countries.partner_code = economies.economy_code
    and economies.kind = 'country'
join
    $batch as world
    on countries.release_date = world.release_date
    and countries.concept = world.concept
    and countries.reporter_code = world.reporter_code
    and countries.flow = world.flow
    and countries.category_code = world.category_code
    and countries.period = world.period
    and world.partner_code = 'WLD'
where countries.concept in ('BPM6_SH', 'BATIS_BALANCED')
group by all
having sum(countries.value) > max(world.value) * 1.01 + 1
;
