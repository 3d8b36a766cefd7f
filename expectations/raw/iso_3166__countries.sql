-- name: codes_of_another_form
select _file, _sheet, _row, alpha_2, alpha_3, "numeric"
from $batch
where
    not (
        regexp_full_match(alpha_2, '[A-Z]{2}')
        and regexp_full_match(alpha_3, '[A-Z]{3}')
        and regexp_full_match("numeric", '[0-9]{3}')
    )
;
