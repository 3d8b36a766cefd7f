"""Publishers' servers, and names, that turn hostile: where a download may and may not go."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import Settings
from dagster_project.fetching.download import Downloader
from dagster_project.fetching.publishers import all_fetchers

KEY = "made-up-key"


class Handler(BaseHTTPRequestHandler):
    """Answers with a redirect to `location`, or with data."""

    location: ClassVar[str] = ""
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(302 if self.location else 200)
        if self.location:
            self.send_header("Location", self.location)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"a,b\n")

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    Handler.location, Handler.asked = "", []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def download(
    host: str, target: Path, *, mirror: bool = True, header: str | None = None, tries: int = 1
) -> None:
    """Download from a host; without `mirror`, as if it were a publisher's own name."""
    urls = {"made_up": f"http://{host}"} if mirror else {}
    settings = Settings(fetch_base_urls=urls, fetch_attempts=tries)
    keys = {"Key": SecretStr(header)} if header else {}
    downloader = Downloader(settings, "made_up", frozenset({host}), 1000, tuple(keys.values()))
    with downloader.connected():
        downloader.download(f"http://{host}/x.csv", target, "csv", secret_headers=keys)


def test_a_publishers_name_that_leads_into_this_network_is_refused(
    host: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="an address of this network") as refused:
        download(host, tmp_path / "x.csv", mirror=False, tries=3)
    assert refused.value.found in ("127.0.0.1", "::1")
    assert Handler.asked == ["/x.csv"]  # not tried again
    assert list(tmp_path.iterdir()) == []


def test_a_mirror_in_the_settings_may_be_in_this_network(host: str, tmp_path: Path) -> None:
    download(host, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "a,b\n"


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:22/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://0/",
        "//evil.example/",
        "file:///etc/passwd",
        "ftp://localhost/x",
        "gopher://localhost/x",
        "data:text/csv,a",
        "http://{host}@evil.example/",
        "http://evil.example#@{host}/",
        "http://evil.example\\@{host}/",
        "http://{host}.evil.example/",
    ],
)
def test_a_redirect_elsewhere_is_not_followed(host: str, tmp_path: Path, location: str) -> None:
    Handler.location = location.format(host=host)
    with pytest.raises(BadInput):
        download(host, tmp_path / "x.csv")
    assert Handler.asked == ["/x.csv"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "key", [f"{KEY}\r\nX-Injected: 1", f"{KEY}\n", f"{KEY} x", f"{KEY}\x00", "é"]
)
def test_a_key_cannot_add_headers_and_is_not_quoted(host: str, tmp_path: Path, key: str) -> None:
    with pytest.raises(BadInput, match="an API key with unsupported characters") as refused:
        download(host, tmp_path / "x.csv", header=key)
    assert KEY not in str(refused.value)
    assert Handler.asked == []


def test_every_publisher_is_asked_over_tls() -> None:
    """Who answers under a publisher's name must have its certificate."""
    assert {fetcher.base_url.partition("://")[0] for fetcher in all_fetchers().values()} == {
        "https"
    }
