"""The same ingest with pandas: the kept rows of a bulk file into a DuckDB table.

`python -m benchmarks.pandas_ingest <csv> <database>`
"""

import sys

import duckdb
import pandas as pd

if __name__ == "__main__":
    rows = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False, engine="pyarrow")
    rows = rows[rows["Item_code"] == "SH"]
    with duckdb.connect(sys.argv[2]) as con:
        con.execute("create table observations as select * from rows")
        print(con.execute("select count(*) from observations").fetchall()[0][0])
