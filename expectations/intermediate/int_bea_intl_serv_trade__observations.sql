-- name: status_without_its_value
select
    source,
    release_date,
    file_name,
    sheet_name,
    row_number,
    column_name,
    value,
    obs_status,
    conf_status
from $batch
where
    (value is null) <> (obs_status in ('Q', 'L', 'M', 'K', 'H', 'O'))
    or (obs_status = 'Q') <> (conf_status = 'C')
    or (conf_status = 'C' and value is not null)
;
