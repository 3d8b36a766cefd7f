"""`make sql`: the shell is the user's own, but a query must not download programs."""

import subprocess
import sys

import duckdb

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import Warehouse


def test_a_query_that_names_a_url_downloads_no_extension(folders: Warehouse) -> None:
    settings = folders.settings
    settings.warehouse_dir.mkdir()
    with duckdb.connect(settings.warehouse) as con:
        con.execute("create schema audit; create table audit.publication as select 1 published_at")
    ended = subprocess.run(
        [sys.executable, "-m", "dagster_project", "sql"],
        cwd=PROJECT_ROOT,
        input="select * from 'https://127.0.0.1:1/x.csv';\nselect 6 * 7;",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "requires the extension httpfs" in ended.stderr
    assert "42" in ended.stdout
