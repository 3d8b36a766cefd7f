-- name: levels_above_ten_trillion
select source, release_date, file_name, row_number, figure_id, value, unit, unit_multiplier
from $batch
where
    measure = 'level'
    and unit = 'USD'
    and abs(cast(value as double)) * power(10, unit_multiplier) > 1e13
;
