/*
title: Files
columns:
  source: [Source, code]
  release_date: Release
  file_name: [File, name]
  bytes: [Size, bytes]
  sha256: [SHA-256, sha256]
  rows_read: Rows read
  rows_kept: Rows kept
  status: Status
note: The size is that of the file in the landing folder.
*/
select source, release_date, file_name, bytes, sha256, rows_read, rows_kept, status, loaded_at
from audit.releases
order by source, release_date, file_name, loaded_at
