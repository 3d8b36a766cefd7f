"""Clients that read publications from object storage until a stop file appears.

`python -m tests.survival.object_client MODE BASE STOP REPORT…` is one client per report, each with
its own thread, connections and in-memory database; `object_readers.py` starts them.
Each answer reads `current.json` once and then only what it names. Modes: `http` and `s3` attach the
file with DuckDB; `hold` keeps it attached for some answers, over several publications;
`duckdb_parquet`, `polars` and `pandas` read the Parquet files.
"""

import hashlib
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import httpx

from dagster_project.workbench.checksums import checksum_query
from tests.publication.s3_server import BUCKET, PREFIX, SECRET
from tests.survival.client import Report, _write

DUCKDB_MODES = ("http", "s3", "hold", "duckdb_parquet")
FRAME_MODES = ("polars", "pandas")
_TABLES = 3  # per answer
_ANSWERS_HELD = 3

# What one answer found: its publication, a digest by table, and what does not fit together.
Answer = tuple[str, dict[str, str], list[str]]


def current(base: str) -> dict[str, Any]:
    """Return `current.json`."""
    return dict(httpx.get(f"{base}/current.json", timeout=120).raise_for_status().json())


def attached(base: str, mode: str, publication: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Attach a publication's file, in place."""
    from duckdb_extension_httpfs import __file__ as package

    con = duckdb.connect(config={"threads": 1})
    (extension,) = Path(package).parent.rglob("httpfs.duckdb_extension")
    con.execute(f"load '{extension}'")
    con.execute("set http_timeout = 300")
    (path,) = [file["path"] for file in publication["files"] if file["path"].endswith(".duckdb")]
    address = f"{base}/{path}"
    if mode == "s3":
        endpoint = base.removeprefix("http://").partition("/")[0]
        con.execute(
            f"create secret (type s3, key_id 'made-up-key', secret '{SECRET}',"
            f" endpoint '{endpoint}', use_ssl false, url_style 'path')"
        )
        address = f"s3://{BUCKET}/{PREFIX}/{path}"
    con.execute(f"attach '{address}' as royalties (read_only)")
    con.execute("use royalties")
    return con


def answer_of_file(con: duckdb.DuckDBPyConnection, name: str) -> Answer:
    """Compare some tables of an attached publication with its own checksums."""
    stated = {table: rest for table, *rest in con.execute("from audit.checksums").fetchall()}
    ((found,),) = con.execute(
        "select max_by(publication_id, published_at) from audit.publication"
    ).fetchall()
    wrong = [] if found == name else [f"current.json names {name}, the file is {found}"]
    digests = {}
    for table in random.sample(sorted(stated), _TABLES):
        (seen,) = con.execute(checksum_query(table)).fetchall()
        digests[table] = str(seen[1])
        if list(seen) != stated[table]:
            wrong.append(f"{name}: {table} is not as published")
    return name, digests, wrong


def answer_of_downloads(base: str, publication: dict[str, Any], mode: str) -> Answer:
    """Compare some Parquet files with what `current.json` says of the publication."""
    name, read = publication["publication"], _READERS[mode]
    paths = [file["path"] for file in publication["files"] if file["path"].endswith(".parquet")]
    digests, wrong = {}, []
    for path in random.sample(paths, _TABLES):
        stated, digest = read(f"{base}/{path}")
        digests[path.rpartition("/")[2]] = digest
        if stated != name:
            wrong.append(f"current.json names {name}, {path} is of {stated}")
    return name, digests, wrong


def _read_duckdb(url: str) -> tuple[str, str]:
    from duckdb_extension_httpfs import __file__ as package

    with duckdb.connect(config={"threads": 1}) as con:
        (extension,) = Path(package).parent.rglob("httpfs.duckdb_extension")
        con.execute(f"load '{extension}'")
        ((stated,),) = con.execute(
            "select value::varchar from parquet_kv_metadata(?) where key = 'publication'", [url]
        ).fetchall()
        rows = con.execute("from read_parquet(?)", [url]).fetchall()
    return stated, _digest(rows)


def _read_polars(url: str) -> tuple[str, str]:
    import polars

    stated = polars.read_parquet_metadata(url)["publication"]
    return stated, _digest(polars.read_parquet(url).rows())


def _read_pandas(url: str) -> tuple[str, str]:
    import io

    import pandas
    import pyarrow.parquet

    content = httpx.get(url, timeout=120).raise_for_status().content
    metadata = pyarrow.parquet.read_metadata(io.BytesIO(content)).metadata
    frame = pandas.read_parquet(io.BytesIO(content))
    return metadata[b"publication"].decode(), _digest(frame.to_csv())


_READERS: dict[str, Callable[[str], tuple[str, str]]] = {
    "duckdb_parquet": _read_duckdb,
    "polars": _read_polars,
    "pandas": _read_pandas,
}


def _digest(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()


def read(mode: str, base: str, stop: Path, report_file: Path) -> None:
    """Read until the file `stop` exists; the report is up to date after each answer."""
    report, stopped = Report(), False

    def note(answer: Answer) -> None:
        name, digests, wrong = answer
        report.answers += 1
        report.mixed += [f"{mode}: {problem}" for problem in wrong]
        kind = mode if mode in _READERS else "file"
        for table, digest in digests.items():
            if report.seen.setdefault(f"{kind} {name} {table}", digest) != digest:
                report.mixed.append(f"{mode}: {name}: {table} has changed")
        _write(report_file, report)

    while not stopped:
        stopped = stop.exists()
        try:
            publication = current(base)
            if mode in _READERS:
                note(answer_of_downloads(base, publication, mode))
            else:
                with attached(base, mode, publication) as con:
                    for _ in range(_ANSWERS_HELD if mode == "hold" else 1):
                        note(answer_of_file(con, publication["publication"]))
        except Exception as error:  # any error of any library counts
            report.errors.append(f"{mode}: {type(error).__name__}: {error}"[:500])
            _write(report_file, report)
        time.sleep(random.uniform(0.5, 2))
    _write(report_file, report)


if __name__ == "__main__":
    with ThreadPoolExecutor(max_workers=len(sys.argv)) as threads:
        client = partial(read, sys.argv[1], sys.argv[2], Path(sys.argv[3]))
        list(threads.map(client, map(Path, sys.argv[4:])))  # raises what a client raised
