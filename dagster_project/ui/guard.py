"""Refuses what other web pages send to the Dagster UI through the operator's browser.

Dagster's web server has no login and trusts whoever reaches its port: it takes any Host, Origin and
content type, and mutations by GET. A page that the operator visits reaches the port too, by a form,
a script, a WebSocket, or under a name of its own that it points to 127.0.0.1 (DNS rebinding).

Requests of other programs, which send neither Origin nor Sec-Fetch-Site, pass: a browser cannot
leave these out. docs/securing.md says what is protected against whom.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from dagster_project.base.errors import BadInput

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d+)?", re.IGNORECASE | re.ASCII)
_OWN_PAGES = {"same-origin", "none"}  # none: typed, or a bookmark
_READING = {"GET", "HEAD"}
_HEADERS = {
    "X-Frame-Options": "SAMEORIGIN",  # no clicks through an invisible frame
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Refused(Exception):
    """A request that is not passed on; `problem` says why, `status` is HTTP's."""

    def __init__(self, status: HTTPStatus, problem: BadInput) -> None:
        super().__init__(str(problem))
        self.status, self.problem = status, problem


class Guard:
    """ASGI middleware in front of Dagster's web server.

    hosts: names by which browsers may reach the server, besides those of the machine itself:
    `host`, on any port, or `host:port`.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the reason why not."""
        if scope["type"] in ("http", "websocket"):
            try:
                self.check(HTTPConnection(scope))
            except Refused as refused:
                logging.getLogger("dagster-webserver").warning("REFUSED %s", refused)
                await _answer(refused, scope, receive, send)
                return
            send = _with_headers(send)
        await self._app(scope, receive, send)

    def check(self, request: HTTPConnection) -> None:
        """Raise Refused for a request that another web page may have caused."""
        method = request.scope.get("method", "WebSocket")
        where = f"the Dagster UI, {method} {request.scope['path']}"
        host = self._known_host(request, where)
        _refuse_other_pages(request, host, method, where)
        if method in _READING:
            _refuse_mutations(request, where)
        elif request.scope["type"] == "http":
            _refuse_forms(request, where)

    def _known_host(self, request: HTTPConnection, where: str) -> str:
        host = (_only(request, "host", where) or "").lower()
        parts = _HOST.fullmatch(host)
        if not parts or not {host, parts[1]} & self._hosts:
            raise Refused(
                HTTPStatus.FORBIDDEN,
                BadInput(
                    "a request for a host that this server is not",
                    where=where,
                    expected="Host: " + " or ".join(sorted(self._hosts)),
                    found=f"Host: {host}" if host else "no Host",
                    fix="if the UI is served under that name, add it to ROYALTY_UI_HOSTS"
                    " (docs/securing.md); if not, a web page has tried to reach this server",
                ),
            )
        return host


def _refuse_other_pages(request: HTTPConnection, host: str, method: str, where: str) -> None:
    """Refuse requests caused by pages of other origins, except links to the UI."""
    origin = _only(request, "origin", where)
    if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
        raise _other_page(where, f"Origin: http://{host} or https://{host}", f"Origin: {origin}")
    site = _only(request, "sec-fetch-site", where)
    is_link = (
        method in _READING
        and _only(request, "sec-fetch-mode", where) == "navigate"
        and _only(request, "sec-fetch-dest", where) == "document"
    )
    if site is not None and site not in _OWN_PAGES and not is_link:
        raise _other_page(where, "Sec-Fetch-Site: same-origin", f"Sec-Fetch-Site: {site}")


def _other_page(where: str, expected: str, found: str) -> Refused:
    return Refused(
        HTTPStatus.FORBIDDEN,
        BadInput(
            "a request that another web page has sent",
            where=where,
            expected=expected,
            found=found,
            fix="use the UI's own pages. If this was one, its proxy changes Host or Origin: pass"
            " both on unchanged (docs/securing.md)",
        ),
    )


def _refuse_mutations(request: HTTPConnection, where: str) -> None:
    """Refuse GraphQL documents in an address that do more than query."""
    if not request.scope["path"].rstrip("/").endswith("/graphql"):
        return
    if any(map(_may_change, request.query_params.getlist("query"))):
        raise Refused(
            HTTPStatus.METHOD_NOT_ALLOWED,
            BadInput(
                "a GraphQL document in an address that may change something",
                where=where,
                expected="queries only, without syntax errors",
                found="a mutation, a subscription or a syntax error in the parameter `query`",
                fix="send it by POST with `Content-Type: application/json`",
            ),
        )


def _may_change(document: str) -> bool:
    """Whether a document has an operation other than a query, whichever would be executed.

    So has one that cannot be parsed: whether deep nesting exhausts the parser depends on the stack,
    which is another one where Dagster parses it.
    """
    try:
        parts = parse(document, no_location=True).definitions
    except GraphQLError:
        return True
    return any(
        isinstance(part, OperationDefinitionNode) and part.operation is not OperationType.QUERY
        for part in parts
    )


def _refuse_forms(request: HTTPConnection, where: str) -> None:
    """Refuse bodies that a browser sends to another host without asking it first."""
    kind = _only(request, "content-type", where)
    if (kind or "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            BadInput(
                "a body that is not JSON",
                where=where,
                expected="Content-Type: application/json",
                found=f"Content-Type: {kind}" if kind else "no Content-Type",
                fix="send JSON, with that header",
            ),
        )


def _only(request: HTTPConnection, name: str, where: str) -> str | None:
    """Return a header's value; refuse several, of which the server may read another."""
    found = request.headers.getlist(name)
    if len(found) > 1:
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            BadInput(
                "a repeated header",
                where=where,
                expected=f"one {name}",
                found=", ".join(found),
                fix="send it once",
            ),
        )
    return found[0] if found else None


async def _answer(refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    response = PlainTextResponse(f"{refused}\n", refused.status, {"Cache-Control": "no-store"})
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return with_headers
