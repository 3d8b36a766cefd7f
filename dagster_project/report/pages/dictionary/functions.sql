/*
title: Functions
columns:
  call: [Call, code]
  comment: [Result, prose]
note: "They return rows: select from them as from a table."
*/
select function_name || '(' || array_to_string(parameters, ', ') || ')' as call, comment
from duckdb_functions()
where function_type = 'table_macro' and not internal
order by function_name
