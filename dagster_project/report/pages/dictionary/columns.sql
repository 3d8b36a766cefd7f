/*
title: Columns
columns:
  column_name: [Column, code]
  data_type: Type
  required: Required
  comment: [Meaning, prose]
*/
select column_name, data_type, not is_nullable as required, comment
from duckdb_columns()
where schema_name = $schema and table_name = $table
order by column_index
