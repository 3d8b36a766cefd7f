"""What both floors do with their SQL: run it, judge, write to disk, rename."""

from pathlib import Path

import duckdb

from dagster_project.base.durable_files import sync
from dagster_project.base.settings import Settings


def build_and_publish(sql: str, candidate: Path) -> None:
    """Run a script on `candidate`, and on `work` beside it, and make the candidate the published
    file. Raises AssertionError if a rule finds rows.
    """
    folder = candidate.parent
    with duckdb.connect(config=Settings().duckdb_config) as con:
        con.execute("set disabled_compression_methods = 'fsst'")  # as dbt/profiles.yml has it
        con.execute(f"set temp_directory = '{folder}/spill'")
        con.execute(f"attach '{folder}/work.duckdb' as work")
        con.execute(f"attach '{candidate}' as candidate")
        con.execute(sql)
        failing = con.execute("select gate, failing from work.gates where failing > 0").fetchall()
        assert not failing, failing
        con.execute("checkpoint candidate")
        con.execute("checkpoint work")
    sync(candidate)
    candidate.replace(folder / "royalty_flows.duckdb")
