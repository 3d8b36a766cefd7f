"""A publisher on this machine: an HTTP server that gives made-up answers, one after the other."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

from dagster_project.base.complete_marker import MARKER, is_marked_complete

MOST_REQUESTS = 60
LONGEST_SILENCE = 5.0  # seconds; a client of the tests gives up long before


@dataclass(frozen=True)
class Reply:
    """One answer. length: the Content-Length header, if not the body's length; -1: no header.

    silent: send nothing until the client disconnects.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    silent: bool = False


@dataclass
class Publisher:
    """The server: its answers at each address (the last one forever), and the requests it got."""

    url: str
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def serve(self, path: str, *replies: Reply | bytes) -> None:
        self.replies[path] = [
            reply if isinstance(reply, Reply) else Reply(reply) for reply in replies
        ]

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@contextmanager
def publisher() -> Iterator[Publisher]:
    """Start a publisher on a free port of the loopback interface; it ends with the block."""
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        known: ClassVar[Publisher]
        protocol_version = "HTTP/1.1"
        timeout = LONGEST_SILENCE

        def do_GET(self) -> None:
            known = self.known
            known.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            if len(known.asked) > MOST_REQUESTS:
                self.close_connection = True
                return
            script = known.replies.get(self.path) or known.replies.get(self.path.split("?")[0])
            reply = Reply(b"not here", 404) if not script else script[0]
            if script and len(script) > 1:
                del script[0]
            if reply.silent:
                over.wait(LONGEST_SILENCE)
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 304 and reply.length != -1:
                length = len(reply.body) if reply.length is None else reply.length
                self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(reply.body)
            if reply.length is not None:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Handler.known = Publisher(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Handler.known
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join(LONGEST_SILENCE)


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return everything below a folder: what is in each file, None for each folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def landed_files(release: Path) -> dict[str, bytes | None]:
    """Return what is in each file of a release folder, which must be marked as complete."""
    assert is_marked_complete(release)
    return {name: content for name, content in tree(release).items() if name != MARKER}
