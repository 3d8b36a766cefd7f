"""The UI as a person on duty uses it: a real browser on the server of `make dev`.

One test, as the server takes half a minute to start: the steps of a night on duty.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dagster import DagsterInstance
from playwright.sync_api import Page, Response, expect, sync_playwright

from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.settings import PROJECT_ROOT
from tests.pipeline.test_run import text_of
from tests.support import Scenario, Warehouse

CHROMIUM = shutil.which("chromium")
# The machine may be busy with other tests; nothing here waits longer than it must.
START_SECONDS, RUN_SECONDS, PAGE_SECONDS, STOP_SECONDS = 240, 300, 90, 60
FLAGS = (
    "no-sandbox disable-gpu no-first-run disable-sync disable-background-networking"
    " disable-component-update"
)

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the PATH (Debian: chromium)"
)
pytestmark = [pytest.mark.slow, pytest.mark.ui, needs_chromium]


@pytest.fixture
def address(template: Scenario, folders: Warehouse, tmp_path: Path) -> Iterator[str]:
    """The address of a server that `make dev`'s command started on a copy of the template.

    One release has landed since, and is not loaded.
    """
    template.warehouse.copy(folders.folder)
    shutil.copytree(template.warehouse.folder / "dagster_home", folders.folder / "dagster_home")
    folders.land("published_figures", "2020-03-31", "made_up.csv", text_of("2020-03-31"))
    dagster_home()
    with DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("published_figures", ["2020-03-31"])
    with running_ui(tmp_path / "server.log") as address:
        yield address


@contextmanager
def running_ui(log: Path, **variables: str) -> Iterator[str]:
    """The address of a server that `make dev`'s command has started on the test's folders."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as written:
        server = subprocess.Popen(
            [sys.executable, "-m", "dagster_project", "dev", "--port", str(port)],
            cwd=PROJECT_ROOT,
            env=os.environ | variables,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the server, its children and the runs are one process group
        )
    try:
        wait_for(server, f"http://127.0.0.1:{port}/server_info")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(server)
        print(log.read_text("utf-8", "replace"))  # pytest shows it if the test fails
    assert group_is_gone(server.pid), "a process of the server has survived it"


def wait_for(server: subprocess.Popen, url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert server.poll() is None, f"the server has ended with code {server.returncode}"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    pytest.fail(f"the server did not answer within {START_SECONDS} seconds")


def group_is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def stop(server: subprocess.Popen) -> None:
    """End the server as Ctrl-C does; kill the rest of its process group."""
    for sign in (signal.SIGINT, signal.SIGKILL):
        if group_is_gone(server.pid):
            break
        os.killpg(server.pid, sign)
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until and not group_is_gone(server.pid):
            server.poll()
            time.sleep(0.2)
    server.wait(STOP_SECONDS)


@dataclass
class Browser:
    """A page of the UI, and its problems."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}", wait_until="domcontentloaded")
        return self.page

    def failed(self, response: Response) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.status} {response.url}")


@pytest.fixture
def browser(address: str, tmp_path: Path) -> Iterator[Browser]:
    """A browser on the server; if the test fails, a screenshot stays in `tmp_path`."""
    with browsing(address, tmp_path) as opened:
        yield opened


@contextmanager
def browsing(address: str, folder: Path) -> Iterator[Browser]:
    """A browser on a server, which leaves a screenshot of its last page in the folder."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[f"--{flag}" for flag in FLAGS.split()],
        )
        page = chromium.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(PAGE_SECONDS * 1000)
        page.set_default_navigation_timeout(PAGE_SECONDS * 1000)
        expect.set_options(timeout=PAGE_SECONDS * 1000)
        opened = Browser(page, address)
        page.on("pageerror", lambda error: opened.errors.append(f"uncaught: {error}"))
        page.on("response", opened.failed)
        page.on(
            "console",
            lambda said: opened.errors.append(said.text) if said.type == "error" else None,
        )
        yield opened
        page.screenshot(path=folder / "last.png")
        chromium.close()


def test_a_night_on_duty(browser: Browser) -> None:
    sees_the_graph(browser)
    sees_the_runs_of_the_command_line(browser)
    launches_a_run_and_sees_it_succeed(browser)
    opens_the_result_of_its_gate(browser)
    opens_a_chart(browser)
    for path, words in {
        "/automation": "Automation",
        "/assets/raw/published_figures__figures?view=overview": "Latest materialization",
        "/deployment/daemons": "Daemons",
    }.items():
        expect(browser.open(path).get_by_text(words).first).to_be_visible()
    assert browser.errors == []


def sees_the_graph(browser: Browser) -> None:
    page = browser.open("/asset-groups")
    for group in ("fetch", "landing", "raw", "seeds", "staging", "intermediate", "core", "marts"):
        expect(page.get_by_text(group, exact=True).first).to_be_visible()
    expect(page.get_by_text("publication", exact=True).first).to_be_visible()
    page = browser.open("/assets/raw/worldbank_wdi__observations?view=lineage")
    expect(
        page.get_by_text("worldbank_wdi", exact=True).first
    ).to_be_visible()  # the landed release


def sees_the_runs_of_the_command_line(browser: Browser) -> None:
    page = browser.open("/timeline")
    for job in ("build", "ingest_published_figures"):
        row = page.locator(f"a[href='/locations/royalty_flows/jobs/{job}']")
        expect(row.first).to_be_visible()
    page = browser.open("/locations/royalty_flows/jobs/build/runs")
    expect(page.get_by_text("royalty_flows/launched_by: make run").first).to_be_visible()


def launches_a_run_and_sees_it_succeed(browser: Browser) -> None:
    page = browser.open("/assets/raw/published_figures__figures?view=partitions")
    expect(page.get_by_text("Missing (1)")).to_be_visible()
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Missing", exact=True).click()
    dialog.get_by_role("button", name=re.compile("^Launch")).click()
    expect(dialog).to_be_hidden()
    page = browser.open("/runs")
    expect(page.get_by_text("partition: 2020-03-31").first).to_be_visible()
    page.get_by_role("link", name=re.compile(r"\b[0-9a-f]{8}$")).first.click()
    head = page.get_by_text(re.compile("^(Success|Failure|Canceled)$"))
    expect(head.first).to_be_visible(timeout=RUN_SECONDS * 1000)
    expect(head.first).to_have_text("Success")


def opens_the_result_of_its_gate(browser: Browser) -> None:
    page = browser.open("/assets/raw/published_figures__figures?view=checks")
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()
    expect(page.get_by_text("figure_id is unique within the release").first).to_be_visible()


def opens_a_chart(browser: Browser) -> None:
    page = browser.open("/assets/marts/flows_by_country?view=events")
    page.get_by_text("Show Markdown").first.click()
    chart = page.get_by_role("dialog").locator("img").first
    expect(chart).to_be_visible()
    assert chart.evaluate("image => image.complete && image.naturalWidth") > 100
