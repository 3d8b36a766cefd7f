/*
title: Tables
columns:
  table_name: [Table, file]
  row_count: Rows
  comment: [Contents, prose]
*/
select schema_name || '.' || table_name as table_name, estimated_size as row_count, comment
from duckdb_tables()
where schema_name in ('core', 'marts')
order by schema_name desc, table_name
