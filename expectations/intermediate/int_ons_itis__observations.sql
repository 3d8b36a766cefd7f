-- name: items_of_the_balance_of_payments
select source, release_date, file_name, sheet_name, row_number, column_name, concept, category_code
from $batch
where concept <> 'ONS_ITIS' or not (category_code in ('_T', '_U') or category_code like 'ITIS%')
;
