-- name: sources_without_figures
select sources.source, coalesce(found.figures, 0) as figures
from core.dim_source as sources
left join
    (select source, count(value) as figures from $batch group by source) as found
    on sources.source = found.source
where
    sources.source in (select source from core.dim_release)
    and sources.precedence < 900
    and coalesce(found.figures, 0) = 0
    and sources.source not in (select source from core.fct_stated_rates)
;

-- name: too_many_negative_figures
select
    source,
    release_date,
    count(*) as figures,
    sum(case when value < 0 then 1 else 0 end) as negative
from $batch
where flow in ('receipts', 'payments')
group by source, release_date
having sum(case when value < 0 then 1 else 0 end) > greatest(1, count(*) / 100)
;
