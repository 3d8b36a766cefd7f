"""A real Superset on a copy of the template, for all tests of the folder.

`make test-slow` gives them all to one process (`xdist_group`), so that one server starts.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.support import Scenario, Warehouse, environment, held_by

PYTHON = PROJECT_ROOT / ".venv-superset" / "bin" / "python"
START_SECONDS, STOP_SECONDS, ANSWER_SECONDS = 400, 30, 120  # the machine may be busy

# The dashboard opens on China in the first half of 2018, which no made-up file has: take another's,
# and give it the balances with single partners.
_CHINA = ";".join(
    f"update marts.{mart} set reporter_code = 'CHN' where reporter_code = 'KOR'"
    for mart in (
        "flows_by_partner_half_yearly",
        "flows_by_sector_half_yearly",
        "flows_by_category_half_yearly",
        "flows_by_affiliation_half_yearly",
        "flows_by_subdivision_half_yearly",
        "mart_coverage",
    )
)
_BALANCES = (
    "update marts.flows_by_partner_half_yearly"
    " set balance_usd_m = coalesce(balance_usd_m, receipts_usd_m, -payments_usd_m)"
    " where reporter_code = 'CHN'"
)
# Made-up files have few countries, which therefore have no rank.
_RANKS = (
    "update marts.flows_by_country as flows set rank_by_receipts = ranked.by_receipts,"
    " rank_by_payments = ranked.by_payments, rank_by_balance = ranked.by_balance,"
    " balance_ranked_among = ranked.countries from (select reporter_code, period,"
    " rank() over (partition by period order by receipts_usd_m desc nulls last) as by_receipts,"
    " rank() over (partition by period order by payments_usd_m desc nulls last) as by_payments,"
    " rank() over (partition by period order by balance_usd_m desc nulls last) as by_balance,"
    " count(*) over (partition by period) as countries from marts.flows_by_country) as ranked"
    " where flows.reporter_code = ranked.reporter_code and flows.period = ranked.period"
)


def publish_changed(warehouse: Warehouse, change: str) -> str:
    """Publish the live publication again, changed by a statement, with all checks of the ledger."""
    with environment(warehouse.environment):
        warehouse.restore_candidate()
        with duckdb.connect(warehouse.settings.candidate) as con:
            con.execute(change)
        warehouse.gate_candidate()
        warehouse.publish_candidate()
    return held_by(warehouse.settings.warehouse)


@dataclass
class Superset:
    """A running server, asked as its user `admin`."""

    address: str
    home: Path
    warehouse: Warehouse
    http: httpx.Client = field(init=False)

    @property
    def password(self) -> str:
        return (self.home / "password").read_text().strip()

    def log_in(self, password: str) -> httpx.Response:
        """Request a token; return the server's response, whatever it is."""
        return httpx.post(
            f"{self.address}/api/v1/security/login",
            json={"username": "admin", "password": password, "provider": "db"},
            timeout=ANSWER_SECONDS,
        )

    def open(self) -> "Superset":
        """Log in, and keep what further requests need."""
        token = self.log_in(self.password).json()["access_token"]
        self.http = httpx.Client(
            base_url=f"{self.address}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=ANSWER_SECONDS,
        )
        csrf = self.get("/security/csrf_token/")["result"]
        self.http.headers["X-CSRFToken"] = csrf
        return self

    def get(self, path: str) -> dict[str, Any]:
        answer = self.http.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text[:1000]}"
        return answer.json()

    def listed(self, kind: str) -> list[dict[str, Any]]:
        """Return all datasets, charts or dashboards."""
        return self.get(f"/{kind}/?q=(page_size:100)")["result"]

    @property
    def database(self) -> int:
        (found,) = self.listed("database")
        return found["id"]

    def ask(self, sql: str) -> httpx.Response:
        """Send a statement to SQL Lab."""
        return self.http.post(
            "/sqllab/execute/", json={"database_id": self.database, "sql": sql, "schema": "marts"}
        )

    def rows(self, sql: str) -> list[tuple]:
        answer = self.ask(sql)
        assert answer.status_code == 200, answer.text[:1000]
        return [tuple(row.values()) for row in answer.json()["data"]]

    def data(self, dataset: int, queries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Request a chart's data: for each query the rows, as `data`, and the SQL, as `query`."""
        answer = self.http.post(
            "/chart/data",
            json={"datasource": {"id": dataset, "type": "table"}, "queries": list(queries)},
        )
        assert answer.status_code == 200, answer.text[:1000]
        return answer.json()["result"]


@pytest.fixture(scope="session")
def superset(template: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    folder = tmp_path_factory.mktemp("superset")
    warehouse = template.warehouse.copy(folder / "warehouse_folder")
    publish_changed(warehouse, f"{_CHINA};{_BALANCES};{_RANKS}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home, log = folder / "home", folder / "server.log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            [PYTHON, "superset/start.py", "--port", str(port)],
            cwd=PROJECT_ROOT,
            env={**os.environ, **warehouse.environment, "ROYALTY_SUPERSET_DIR": str(home)},
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    found = Superset(f"http://127.0.0.1:{port}", home, warehouse)
    try:
        _wait_for(server, f"{found.address}/health", log)
        yield found.open()
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(STOP_SECONDS)
        print(log.read_text("utf-8", "replace")[-20000:])
        shutil.rmtree(folder)


def _wait_for(server: subprocess.Popen, url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text("utf-8", "replace")
        try:
            httpx.get(url, timeout=5)
        except httpx.HTTPError:
            time.sleep(0.3)
        else:
            return
    pytest.fail(f"the server did not answer within {START_SECONDS} seconds: {log.read_text()}")


def parameters(superset: Superset, chart: dict[str, Any]) -> dict[str, Any]:
    """Return what a chart shows, as its import file has it."""
    return json.loads(superset.get(f"/chart/{chart['id']}")["result"]["params"])
