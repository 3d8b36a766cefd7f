"""A webhook and a mail server on this machine, which keep what they receive."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

SECRET = "T0K3N-of-the-webhook"
PASSWORD = "hunter2-is-no-password"


@dataclass
class Webhook:
    """answers: the status of each coming request; 200 when there are none left."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    requests: int = 0
    received: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def webhook(*answers: int) -> Iterator[Webhook]:
    hook = Webhook(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.requests += 1
            status = hook.answers.pop(0) if hook.answers else 200
            if status == 200:
                hook.received.append(json.loads(body))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", hook.url)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_port}/services/{SECRET}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Mailbox:
    """answers: what the server says to each coming mail; it takes it when there are none left."""

    port: int = 0
    answers: list[str] = field(default_factory=list)
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    password: str | None = None


@contextmanager
def mail_server(*answers: str) -> Iterator[Mailbox]:
    box = Mailbox(answers=list(answers))

    class Handler:
        async def handle_DATA(  # noqa: N802 - aiosmtpd's name
            self, _server: Any, _session: Any, envelope: Envelope
        ) -> str:
            answer = box.answers.pop(0) if box.answers else "250 OK"
            if answer.startswith("250"):
                content = envelope.content or b""
                data = content if isinstance(content, bytes) else content.encode()
                parsed = message_from_bytes(data, policy=policy.default)
                assert isinstance(parsed, EmailMessage)
                box.received.append(parsed)
                box.recipients += envelope.rcpt_tos
            return answer

    def authenticate(*arguments: Any) -> AuthResult:
        login = arguments[-1]
        assert isinstance(login, LoginPassword)
        box.password = login.password.decode()
        return AuthResult(success=box.password == PASSWORD, handled=False)

    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=box.port,
        authenticator=authenticate,
        auth_require_tls=False,
        auth_required=False,
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
