"""A PostgreSQL server of the test's own: Debian's programs, a free port, a password."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

PASSWORD = "made up: p@ss/word%"
_USER = "postgres"  # the server refuses to run as root
_START_SECONDS = 60


def _programs() -> Path | None:
    """The folder of the newest server's programs, or None. Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def missing() -> str:
    """Why no server can be started here; empty if one can."""
    if _programs() is None:
        return "no PostgreSQL server (Debian: postgresql)"
    users = {user.pw_uid: user.pw_name for user in pwd.getpwall()}
    if os.geteuid() == 0 and _USER not in users.values():
        return "root, and no user postgres to run a server as"
    if os.geteuid() not in users:
        return "a user without an entry in passwd, as whom PostgreSQL does not start"
    return ""


needs_postgres = pytest.mark.skipif(bool(missing()), reason=missing())


class Server:
    """A server that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._data, self._log = folder / "data", folder / "log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        password = folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
            shutil.chown(password, _USER)
        self._call("initdb", "--username=royalty", f"--pwfile={password}", "--auth=scram-sha-256")

    @property
    def url(self) -> str:
        return f"postgresql://royalty:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self._call("pg_ctl", "start", "-w", "-l", str(self._log), "-o", options)

    def kill(self) -> None:
        """Kill the server and all its processes; none closes anything."""
        main = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for process in (main, *map(int, children)):
            os.kill(process, signal.SIGKILL)
        until = time.monotonic() + _START_SECONDS
        while any(Path(f"/proc/{process}").exists() for process in (main, *children)):
            assert time.monotonic() < until, "the server does not end"
            time.sleep(0.05)

    def stop(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self._call("pg_ctl", "stop", "-m", "immediate", check=False)

    def rows(self, sql: str) -> list[tuple]:
        import sqlalchemy

        url = self.url.replace("postgresql:", "postgresql+psycopg2:")
        with sqlalchemy.create_engine(url).connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def _call(self, program: str, *arguments: str, check: bool = True) -> None:
        programs = _programs()
        assert programs
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            as_user = {"user": _USER, "group": pwd.getpwnam(_USER).pw_gid, "extra_groups": []}
        done = subprocess.run(
            [str(programs / program), "-D", str(self._data), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server inherits it: a pipe would never end
            stderr=subprocess.DEVNULL,
            cwd="/",
            check=False,
            **as_user,
        )
        assert not check or done.returncode == 0, f"{program}: {self._log_text()}"

    def _log_text(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else "no log"


@contextmanager
def postgres() -> Iterator[Server]:
    """A running server, which ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # pytest's is closed to other users
    try:
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
