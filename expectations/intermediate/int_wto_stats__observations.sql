-- name: parts_above_item_sh
select
    parts.source,
    parts.release_date,
    parts.reporter_code,
    parts.partner_code,
    parts.flow,
    parts.period,
    max(whole.value) as whole,
    sum(parts.value) as parts
from $batch as parts
join
    $batch as whole
    on whole.category_code = '_T'
    and whole.concept = parts.concept
    and whole.release_date = parts.release_date
    and whole.reporter_code = parts.reporter_code
    and whole.partner_code = parts.partner_code
    and whole.flow = parts.flow
    and whole.period = parts.period
where
    parts.category_code in ('SH1', 'SH2', 'SH3', 'SH4')
    and parts.reporter_code <> '_U'
    and parts.partner_code <> '_U'
group by all
having sum(parts.value) > max(whole.value) * 1.01 + 1
;
