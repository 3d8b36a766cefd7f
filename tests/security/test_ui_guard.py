"""The UI as a hostile page reaches it: Dagster's own web application behind the guard.

Each request would change the instance (a pool's limit) if it got through.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from pydantic import ValidationError
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message

from dagster_project.base.settings import Settings
from dagster_project.ui.guard import Guard

HOST = "127.0.0.1:3000"
MUTATION = 'mutation { setConcurrencyLimit(concurrencyKey: "made_up", limit: 7) }'
QUERY = "query { version }"
JSON = {"Content-Type": "application/json"}
BODY = json.dumps({"query": MUTATION})


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture(scope="module")
def server(instance: DagsterInstance) -> Iterator[TestClient]:
    with WorkspaceProcessContext(
        instance, EmptyWorkspaceTarget(), version="", read_only=False
    ) as workspace:
        app = create_app_from_workspace_process_context(workspace)
        guarded = Guard(app, {"warehouse.example.org", "other.example.org:8443"})
        yield TestClient(guarded, base_url=f"http://{HOST}", raise_server_exceptions=False)


@pytest.fixture(autouse=True)
def nothing_changes(instance: DagsterInstance, request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever is refused has changed nothing."""
    yield
    storage = instance.event_log_storage
    limits = storage.get_concurrency_keys()
    if request.node.get_closest_marker("changes"):
        assert "made_up" in limits
        storage.delete_concurrency_limit("made_up")
    else:
        assert "made_up" not in limits


changes = pytest.mark.changes


# What must keep working


@pytest.mark.parametrize(
    "host", [HOST, "localhost:3000", "[::1]:3000", "LOCALHOST", "warehouse.example.org"]
)
def test_health_checks_and_pages_answer(server: TestClient, host: str) -> None:
    for path in ("/server_info", "/", "/runs/abc"):
        answer = server.get(path, headers={"Host": host})
        assert answer.status_code == 200, answer.text
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


@changes
def test_curl_on_the_machine_can_start_what_it_likes(server: TestClient) -> None:
    answer = server.post("/graphql", content=BODY, headers=JSON)
    assert answer.json() == {"data": {"setConcurrencyLimit": True}}


@changes
@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (HOST, f"http://{HOST}"),
        ("warehouse.example.org", "https://warehouse.example.org"),
        ("warehouse.example.org:444", "https://warehouse.example.org:444"),
        ("other.example.org:8443", "https://other.example.org:8443"),
    ],
)
def test_the_ui_itself_can(server: TestClient, host: str, origin: str) -> None:
    own = {"Host": host, "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    answer = server.post(
        "/graphql", content=BODY, headers={**own, "Content-Type": "application/json; charset=utf-8"}
    )
    assert answer.status_code == 200, answer.text


def test_a_query_by_get_is_answered(server: TestClient) -> None:
    answer = server.get("/graphql", params={"query": QUERY})
    assert "version" in answer.json()["data"]
    page = server.get("/graphql", headers={"Accept": "text/html"})
    assert "graphiql" in page.text.lower()


def test_a_link_in_an_alert_opens_the_run(server: TestClient) -> None:
    link = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    assert server.get("/runs/abc", headers=link).status_code == 200


@pytest.mark.parametrize("origin", [None, f"http://{HOST}"])
def test_the_uis_web_socket_opens(server: TestClient, origin: str | None) -> None:
    headers = {"Host": HOST} | ({"Origin": origin} if origin else {})
    with server.websocket_connect("/graphql", ["graphql-ws"], headers=headers) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}


# What another page can send


def refused(answer: httpx.Response, status: int, found: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    for part in ("where: the Dagster UI", "expected: ", f"found: {found}", "what to do: "):
        assert part in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:3000",
        "127.0.0.1.evil.example:3000",
        "evil.example@127.0.0.1:3000",
        "127.0.0.1:3000, evil.example",
        "127.0.0.1:3000/",
        "localhost.:3000",
        "sub.localhost:3000",
        "0.0.0.0:3000",
        "2130706433:3000",
        "sub.warehouse.example.org",
        "other.example.org",
        "",
    ],
)
def test_a_name_that_points_here_is_refused(server: TestClient, host: str) -> None:
    own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    for answer in (
        server.get("/server_info", headers={"Host": host}),
        server.post("/graphql", content=BODY, headers={**own, **JSON}),
    ):
        refused(answer, 403, f"Host: {host}" if host else "no Host")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:8888",
        "http://localhost:3000",
        "file://",
        f"http://{HOST}.evil.example",
        f"ftp://{HOST}",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_another_pages_script_is_refused(server: TestClient, method: str, origin: str) -> None:
    answer = server.request(method, "/graphql", content=BODY, headers={**JSON, "Origin": origin})
    refused(answer, 403, f"Origin: {origin}")
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "made-up"])
@pytest.mark.parametrize("dest", ["image", "script", "iframe", "object", "empty"])
def test_another_pages_picture_script_and_frame_are_refused(
    server: TestClient, site: str, dest: str
) -> None:
    mode = "navigate" if dest in ("iframe", "object") else "no-cors"
    fetch = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    refused(server.get("/", headers=fetch), 403, f"Sec-Fetch-Site: {site}")


def test_another_pages_form_is_refused(server: TestClient) -> None:
    form = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    answer = server.post("/graphql", content=BODY, headers={**JSON, **form})
    refused(answer, 403, "Sec-Fetch-Site: cross-site")


MUTATIONS = {
    "plain": {"query": MUTATION},
    "shorthand of several": {"query": f"{QUERY} {MUTATION}"},
    "chosen by name": {
        "query": f"query harmless {{ version }} {MUTATION.replace('mutation', 'mutation m')}",
        "operationName": "m",
    },
    "not chosen, but there": {
        "query": f"query harmless {{ version }} {MUTATION.replace('mutation', 'mutation m')}",
        "operationName": "harmless",
    },
    "alias": {"query": MUTATION.replace("setConc", "version: setConc")},
    "aliases": {
        "query": 'mutation { a: setConcurrencyLimit(concurrencyKey: "made_up", limit: 1)'
        ' b: setConcurrencyLimit(concurrencyKey: "made_up", limit: 2) }'
    },
    "fragment": {
        "query": "fragment f on Mutation { setConcurrencyLimit(concurrencyKey:"
        ' "made_up", limit: 7) } mutation { ...f }'
    },
    "variables": {
        "query": 'mutation($n: Int!) { setConcurrencyLimit(concurrencyKey: "made_up", limit: $n) }',
        "variables": '{"n": 7}',
    },
    "behind a comment": {"query": f"# query\n,,\ufeff{MUTATION}"},
    "directive": {"query": MUTATION.replace("mutation", "mutation @skip(if: false)")},
    "subscription": {"query": "subscription { capturedLogs(logKey: []) { stdout } }"},
}


@pytest.mark.parametrize("params", MUTATIONS.values(), ids=list(MUTATIONS))
@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/%67raphql"])
def test_a_mutation_by_get_is_refused(
    server: TestClient, params: dict[str, str], path: str
) -> None:
    for headers in ({}, {"Accept": "text/html"}):
        answer = server.get(path, params=params, headers=headers, follow_redirects=False)
        refused(answer, 405, "a mutation")


def test_a_mutation_among_several_queries_of_an_address_is_refused(server: TestClient) -> None:
    both = [("query", QUERY), ("query", MUTATION)]
    for params in (both, both[::-1]):
        refused(server.get("/graphql", params=params), 405, "a mutation")


@pytest.mark.parametrize("depth", range(20, 400, 10))
def test_a_deeply_nested_mutation_is_refused(server: TestClient, depth: int) -> None:
    """Whether the parser gives up on it depends on the stack, which is another in the server."""
    fields = MUTATION.removeprefix("mutation ")
    deep = "mutation " + "{ ... " * depth + fields + "}" * depth
    refused(server.get("/graphql", params={"query": deep}), 405, "a mutation")


def test_persisted_forms_do_not_exist(server: TestClient) -> None:
    stored = {"extensions": '{"persistedQuery": {"version": 1, "sha256Hash": "0"}}', "id": "0"}
    answer = server.get("/graphql", params=stored)
    assert (answer.status_code, answer.text) == (400, "No GraphQL query found in the request")


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/plain; application/json",
        "text/plain;x=application/json",
        "application/graphql",
        "application/jsonp",
        None,
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/report_asset_materialization/made_up"])
def test_a_body_that_needs_no_permission_is_refused(
    server: TestClient, kind: str | None, path: str
) -> None:
    body = urlencode({"query": MUTATION}) if kind and "urlencoded" in kind else BODY
    answer = server.post(
        path,
        params={"query": MUTATION},
        content=body.encode(),
        headers={"Content-Type": kind} if kind else {},
    )
    refused(answer, 415, f"Content-Type: {kind}" if kind else "no Content-Type")


def test_a_batch_is_not_executed(server: TestClient) -> None:
    answer = server.post("/graphql", json=[{"query": MUTATION}, {"query": MUTATION}])
    assert answer.status_code >= 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": HOST, "Origin": "http://evil.example"},
        {"Host": HOST, "Origin": "null"},
        {"Host": HOST, "Origin": "http://127.0.0.1:8888"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": HOST, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "websocket"},
    ],
)
def test_another_pages_web_socket_is_refused(server: TestClient, headers: dict[str, str]) -> None:
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        server.websocket_connect("/graphql", ["graphql-ws"], headers=headers),
    ):
        pass
    assert denied.value.status_code == 403
    assert "where: the Dagster UI, WebSocket /graphql" in denied.value.text


def test_a_header_twice_is_refused(server: TestClient) -> None:
    for name, values in {
        "Host": (HOST, "evil.example"),
        "Origin": (f"http://{HOST}", "http://evil.example"),
        "Content-Type": ("application/json", "text/plain"),
        "Sec-Fetch-Site": ("same-origin", "cross-site"),
    }.items():
        pairs = [(name, value) for value in values]
        if name != "Content-Type":
            pairs.append(("Content-Type", "application/json"))
        answer = server.post("/graphql", content=BODY, headers=pairs)
        refused(answer, 400, ", ".join(values))


def test_a_refusal_is_one_line_whatever_it_quotes(server: TestClient) -> None:
    sent: list[Message] = []
    hostile = b"http://e\x1b[31m\xe2\x80\xaevil"
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/a\nREFUSED b\x1b[2K",
        "query_string": b"",
        "headers": [(b"host", HOST.encode()), (b"origin", hostile)],
    }

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def ask() -> None:
        await server.app(scope, receive, send)

    asyncio.run(ask())
    body = sent[1]["body"].decode()
    assert body.count("\n") == 1
    assert body.rstrip("\n").isprintable()


# The setting


def test_the_setting_names_hosts() -> None:
    found = Settings(ui_hosts=" warehouse.example.org, other.example.org:8443,[2001:db8::1],")
    assert found.allowed_ui_hosts == {
        "warehouse.example.org",
        "other.example.org:8443",
        "[2001:db8::1]",
    }
    assert Settings().allowed_ui_hosts == set()


@pytest.mark.parametrize("host", ["*", "*.example.org", "https://example.org", "a b", "a/b", "a:b"])
def test_the_setting_takes_neither_patterns_nor_addresses(host: str) -> None:
    with pytest.raises(ValidationError, match="expected `host` or `host:port`"):
        Settings(ui_hosts=host)


def test_a_server_without_hosts_takes_only_its_own(tmp_path: Path) -> None:
    async def app(*_: object) -> None:
        raise AssertionError("passed on")

    answer = TestClient(Guard(app)).get("/", headers={"Host": "warehouse.example.org"})
    refused(answer, 403, "Host: warehouse.example.org")
