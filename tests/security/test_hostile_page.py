"""A page that the operator visits, in a real browser, against the server of `make dev`.

The page has an address of its own; one name is pointed at the server afterwards, as in DNS
rebinding. It tries every way to send a mutation, then the UI itself, which must still be able to.
"""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from dagster import DagsterInstance
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import Warehouse
from tests.ui.test_ui import CHROMIUM, FLAGS, PAGE_SECONDS, running_ui

pytestmark = [
    pytest.mark.slow,
    pytest.mark.ui,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH (Debian: chromium)"),
]

HOSTILE, REBOUND = "hostile.example", "rebound.example"
ATTACK = """async ({address, mutation, kinds}) => {
    const url = `${address}/graphql`, body = JSON.stringify({query: mutation});
    const outcome = {};
    const attempt = async (name, request) => {
        try { const got = await request(); outcome[name] = `${got.type} ${got.status}`; }
        catch (error) { outcome[name] = "blocked"; }
    };
    for (const kind of kinds) {
        const headers = kind ? {"Content-Type": kind} : {};
        const query = `?query=${encodeURIComponent(mutation)}`;
        const post = {method: "POST", mode: "no-cors", credentials: "include", headers};
        await attempt(`post ${kind}`, () => fetch(url + query, {...post, body: new Blob([body])}));
        await attempt(`post ${kind}, no body`, () => fetch(url + query, post));
    }
    const json = {method: "POST", headers: {"Content-Type": "application/json"}, body};
    await attempt("post json", () => fetch(url, json));
    await attempt("beacon", async () => (
        {type: navigator.sendBeacon(url, new Blob([body], {type: "text/plain"})), status: ""}));
    await attempt("get", () => fetch(`${url}?query=${encodeURIComponent(mutation)}`,
        {mode: "no-cors"}));
    for (const tag of ["img", "script", "iframe", "embed"]) {
        const element = document.createElement(tag);
        element.src = `${url}?query=${encodeURIComponent(mutation)}`;
        await new Promise(done => {
            element.onload = element.onerror = done; document.body.append(element);
            setTimeout(done, 2000);
        });
    }
    outcome.socket = await new Promise(done => {
        const socket = new WebSocket(url.replace("http", "ws"), "graphql-ws");
        socket.onopen = () => done("open"); socket.onerror = () => done("refused");
    });
    return outcome;
}"""
SIMPLE = ["text/plain", "application/x-www-form-urlencoded", "text/plain;x=application/json", ""]


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[int]:
    """The port of a server with an empty page."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>hostile</title><body>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        rules = f"MAP {HOSTILE} 127.0.0.1, MAP {REBOUND} 127.0.0.1"
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[f"--{flag}" for flag in FLAGS.split()] + [f"--host-resolver-rules={rules}"],
        )
        yield chromium
        chromium.close()


def opened(browser: Browser, address: str) -> Page:
    page = browser.new_page()
    page.set_default_timeout(PAGE_SECONDS * 1000)
    page.goto(address, wait_until="domcontentloaded")
    return page


def mutation(name: str) -> str:
    return f'mutation {{ setConcurrencyLimit(concurrencyKey: "{name}", limit: 7) }}'


def pools() -> set[str]:
    with DagsterInstance.get() as instance:
        return {key for key in instance.event_log_storage.get_concurrency_keys() if "made" in key}


def test_no_page_but_the_ui_can_start_anything(
    browser: Browser, hostile: int, folders: Warehouse, tmp_path: Path
) -> None:
    with running_ui(tmp_path / "server.log", ROYALTY_AUTOMATION="false") as address:
        port = address.rpartition(":")[2]
        for host in (HOSTILE, "127.0.0.1", "localhost"):  # the machine's own, on another port
            attacks_from(opened(browser, f"http://{host}:{hostile}/"), address)
        attacks_by_form(browser, f"http://{HOSTILE}:{hostile}/", address)
        rebinds(browser, f"http://{REBOUND}:{port}")
        cannot_be_framed(browser, f"http://{HOSTILE}:{hostile}/", address)
        assert pools() == set()
        follows_a_link(browser, f"http://{HOSTILE}:{hostile}/", address)
        starts_what_it_likes(opened(browser, address))
        assert pools() == {"made by the UI"}


def attacks_from(page: Page, address: str) -> None:
    attack: dict[str, Any] = {"address": address, "mutation": mutation("made up"), "kinds": SIMPLE}
    outcome = page.evaluate(ATTACK, attack)
    assert outcome.pop("socket") == "refused"
    assert outcome.pop("post json") == "blocked"
    outcome.pop("beacon")
    # Whether the page may see it or not, nothing has answered with success.
    assert all(got in ("blocked", "opaque 0") for got in outcome.values()), outcome


def attacks_by_form(browser: Browser, hostile: str, address: str) -> None:
    """Forms in a tab of their own: a navigation, which is allowed for links."""
    document = json.dumps({"query": mutation("made up"), "x": "="})
    for method, kind in (
        ("POST", "text/plain"),
        ("POST", "application/x-www-form-urlencoded"),
        ("POST", "multipart/form-data"),
        ("GET", ""),
    ):
        page = opened(browser, hostile)
        with page.expect_response(lambda got: "/graphql" in got.url) as answer:
            page.evaluate(
                """([url, method, kind, query, text]) => {
                    const form = document.createElement("form");
                    Object.assign(form, {action: url, method});
                    if (kind) form.enctype = kind;
                    for (const [name, value] of [["query", query], [text, ""]]) {
                        const input = document.createElement("input");
                        Object.assign(input, {name, value}); form.append(input);
                    }
                    document.body.append(form); form.submit();
                }""",
                [
                    f"{address}/graphql?query={quote(mutation('made up'))}",
                    method,
                    kind,
                    mutation("made up"),
                    document,
                ],
            )
        assert answer.value.status == (405 if method == "GET" else 403)
        page.close()


def rebinds(browser: Browser, address: str) -> None:
    """A page whose name points at the server by now: for the browser it is the same origin."""
    page = browser.new_page()
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 403
    assert "ROYALTY_UI_HOSTS" in answer.text()
    status = page.evaluate(
        """query => fetch("/graphql", {
            method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({query})
        }).then(answer => answer.status)""",
        mutation("made up"),
    )
    assert status == 403
    page.close()


def cannot_be_framed(browser: Browser, hostile: str, address: str) -> None:
    page = opened(browser, hostile)
    with page.expect_response(lambda got: got.url.startswith(address)) as answer:
        page.evaluate(
            "url => { const f = document.createElement('iframe'); f.src = url;"
            " document.body.append(f) }",
            address,
        )
    assert answer.value.status == 403
    page.close()


def follows_a_link(browser: Browser, hostile: str, address: str) -> None:
    """A link in a chat or mail: the UI opens."""
    page = opened(browser, hostile)
    page.evaluate("url => { location.href = url }", f"{address}/runs")
    page.get_by_text("Runs", exact=True).first.wait_for()
    page.close()


def starts_what_it_likes(page: Page) -> None:
    """The UI's own page, with its queries and its web socket."""
    outcome = page.evaluate(
        """async query => {
            const answer = await fetch("/graphql", {
                method: "POST", headers: {"Content-Type": "application/json"},
                body: JSON.stringify({query})
            });
            const socket = await new Promise(done => {
                const opened = new WebSocket(
                    location.href.replace("http", "ws").replace(/\\/[^/]*$/, "/graphql"),
                    "graphql-ws");
                opened.onopen = () => done("open"); opened.onerror = () => done("refused");
            });
            return [answer.status, await answer.json(), socket];
        }""",
        mutation("made by the UI"),
    )
    assert outcome == [200, {"data": {"setConcurrencyLimit": True}}, "open"]
