-- name: sources_half_missing
select source, sum(figures_stated) as stated, sum(figures_suppressed + figures_missing) as withheld
from $batch
where dimension = 'total'
group by source
having sum(figures_suppressed + figures_missing) > sum(figures_stated)
;
