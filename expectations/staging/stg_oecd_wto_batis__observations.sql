-- name: records_without_their_values
select source, release_date, file_name, reporter, partner, flow, item_code, period, row_number
from $batch
group by source, release_date, file_name, reporter, partner, flow, item_code, period, row_number
having
    count(case when value_kind = 'final' then 1 end) <> 1
    or count(case when value_kind = 'balanced' then 1 end) <> 1
;
