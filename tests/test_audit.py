"""`.ci/audit`, on a made-up database of vulnerabilities: what passes, and what does not."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dagster_project.base.settings import PROJECT_ROOT

VULNERABILITY = {"id": "GHSA-made-up", "modified": "2026-01-01T00:00:00Z", "summary": "made up"}
NOWHERE = "http://127.0.0.1:1/"


class Database(BaseHTTPRequestHandler):
    """Answers as OSV does: a list of vulnerabilities per package, then each one."""

    bad_package: str | None = None

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        self._answer(
            {
                "results": [
                    {"vulns": [VULNERABILITY]}
                    if query["package"]["name"] == self.bad_package
                    else {}
                    for query in asked
                ]
            }
        )

    def do_GET(self) -> None:
        self._answer(VULNERABILITY)

    def _answer(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def database() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def audit(service: str) -> subprocess.CompletedProcess[str]:
    if not (PROJECT_ROOT / ".tools" / "bin" / "uv").exists():
        pytest.skip("uv is not in .tools/: run `make audit` once")
    return subprocess.run(
        [PROJECT_ROOT / ".ci" / "audit"],
        env={**os.environ, "AUDIT_SERVICE": service, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_known_vulnerability_fails_and_is_named(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Database, "bad_package", "jinja2")
    result = audit(database)
    assert result.returncode == 1
    assert "GHSA-made-up" in result.stdout
    assert "jinja2" in result.stdout


def test_packages_without_a_known_vulnerability_pass(database: str) -> None:
    result = audit(database)
    assert (result.returncode, result.stderr) == (0, "")
    assert "no known vulnerabilities" in result.stdout


def test_an_unreachable_database_passes_with_a_notice() -> None:
    result = audit(NOWHERE)
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1].startswith("NOT AUDITED: ")


def test_an_answer_that_is_nonsense_does_not_pass(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Database, "do_POST", lambda self: self._answer(["nonsense"]))
    result = audit(database)
    assert result.returncode != 0
    assert "NOT AUDITED" not in result.stdout
