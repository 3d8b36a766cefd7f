-- name: values_no_number
select _file, _sheet, _row, _column, value
from $batch
where
    value is not null
    and coalesce(
        not regexp_full_match(value, '-?[0-9]+([.][0-9]+)?')
        or try_cast(replace(value, ',', '') as decimal(16, 6)) is null,
        true
    )
;
