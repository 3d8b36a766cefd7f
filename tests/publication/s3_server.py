"""An S3 server on this machine, in a process of its own: moto, with one bucket.

`python -m tests.publication.s3_server` prints its port, and ends with its standard input. Anybody
may read the bucket over HTTP, as behind a web server; writing needs a signature.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from dagster_project.base.settings import PROJECT_ROOT

BUCKET = "made-up-bucket"
PREFIX = "royalties"
SECRET = "made-up-secret-key"

# The first request imports moto's S3: seconds on a busy machine.
_CLIENT = httpx.Client(timeout=120, trust_env=False)


@dataclass(frozen=True)
class S3Server:
    """The server. url: of its root, over HTTP."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a run publishes there."""
        return {
            "ROYALTY_PUBLISH_URL": f"s3://{BUCKET}/{PREFIX}",
            "ROYALTY_PUBLISH_SECONDS": "5",
            "ROYALTY_PUBLISH_PAUSE_SECONDS": "0",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "made-up-key",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "NO_PROXY": "127.0.0.1",
        }

    @property
    def base(self) -> str:
        """The URL of what a run publishes, over HTTP."""
        return f"{self.url}/{BUCKET}/{PREFIX}"

    def get(self, path: str) -> bytes:
        """Return an object of the publication, as a browser gets it."""
        return _CLIENT.get(f"{self.base}/{path}").raise_for_status().content

    def current(self) -> dict[str, Any]:
        """Return `current.json`."""
        return dict(json.loads(self.get("current.json")))

    def put(self, path: str, content: bytes) -> None:
        """Replace an object, as another program would."""
        headers = {"Authorization": "made up"}
        _CLIENT.put(f"{self.base}/{path}", content=content, headers=headers).raise_for_status()

    def delete(self, path: str) -> None:
        """Delete an object, as another program would."""
        headers = {"Authorization": "made up"}
        _CLIENT.delete(f"{self.base}/{path}", headers=headers).raise_for_status()

    def names(self, folder: str = "") -> set[str]:
        """Return the objects below a folder of the publication."""
        from xml.etree import ElementTree

        answer = _CLIENT.get(
            f"{self.url}/{BUCKET}",
            params={"list-type": "2", "prefix": f"{PREFIX}/{folder}", "max-keys": "1000"},
        ).raise_for_status()
        keys = ElementTree.fromstring(answer.content).iterfind("{*}Contents/{*}Key")
        return {str(key.text).removeprefix(f"{PREFIX}/") for key in keys}

    def publications(self) -> list[str]:
        """Return the publications of which any object is there, oldest first."""
        return sorted({name.split("/")[1] for name in self.names("publications/")})

    def allow(self, *denied: str) -> None:
        """Let anybody read the bucket, and refuse what is denied (`s3:PutObject`) to all."""
        everything = {"Principal": "*", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
        statements: list[dict[str, Any]] = [
            {"Effect": "Allow", "Action": "s3:GetObject", **everything}
        ]
        if denied:
            statements.append({"Effect": "Deny", "Action": list(denied), **everything})
        policy = {"Version": "2012-10-17", "Statement": statements}
        _CLIENT.put(f"{self.url}/{BUCKET}?policy", json=policy).raise_for_status()


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Start a server on a free port; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.publication.s3_server"],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            server = S3Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
            _CLIENT.put(f"{server.url}/{BUCKET}").raise_for_status()
            server.allow()
            yield server
        finally:
            process.stdin.close()


def main() -> None:
    """Serve until the standard input ends."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
