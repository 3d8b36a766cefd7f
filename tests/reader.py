"""A client in its own process, which has the published file open during a run.

`python -m tests.reader watch FILE STOP REPORT` reconnects until the file STOP exists;
with `hold` for `watch` it holds one connection until then. Both write to REPORT what they saw.
One process cannot do both: DuckDB gives a further connection to the same path the open database.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

STATE = """
select
    (select max(publication_id) from audit.publication),
    (select count(*) from core.fct_royalty_observations),
    (select count(*) from marts.mart_balance_by_partner),
    (select count(*) from royalty_flows_as_of(date '2100-01-01'))
"""


def watch(path: Path, stop: Path) -> dict[str, object]:
    """Return the states that new connections found, the errors, and the number of reads."""
    states: list[tuple] = []
    errors: list[str] = []
    reads, stopped = 0, False
    while not stopped:
        stopped = stop.exists()  # and read once more
        try:
            with duckdb.connect(path, read_only=True) as con:
                state = con.execute(STATE).fetchall()[0]
        except duckdb.Error as error:
            errors.append(str(error))
        else:
            if state not in states:
                states.append(state)
        reads += 1
        time.sleep(0.02)  # leave some CPU time to the run
    return {"states": states, "errors": errors, "reads": reads}


def hold(path: Path, stop: Path) -> dict[str, object]:
    """Return the state that one connection found at the beginning and at the end."""
    with duckdb.connect(path, read_only=True) as con:
        first = con.execute(STATE).fetchall()[0]
        while not stop.exists():
            time.sleep(0.1)
        return {"states": [first, con.execute(STATE).fetchall()[0]]}


if __name__ == "__main__":
    client = {"watch": watch, "hold": hold}[sys.argv[1]]
    file, stop_file, report = (Path(argument) for argument in sys.argv[2:])
    report.write_text(json.dumps(client(file, stop_file)))
