/*
title: Tables
columns:
  table_name: [Table, table]
  column_count: Columns
  comment: [Contents, prose]
*/
select schema_name || '.' || table_name as table_name, column_count, comment
from duckdb_tables()
where not internal
order by array_position(['marts', 'core', 'audit'], schema_name), table_name
