"""The processes of a service: code server, daemon, web server; each replaces the one that calls.

They meet in `DAGSTER_HOME`, a folder that is closed to other users: the code server listens on a
socket there, not on a port, because whoever reaches it runs code.
"""

import os
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

from dagster_project.base.dagster_home import dagster_home, home_folder
from dagster_project.base.durable_files import replace_text
from dagster_project.base.errors import BadInput
from dagster_project.base.settings import PROJECT_ROOT

PARTS = {
    "code": "code server, which runs the jobs",
    "daemon": "schedules, sensors and the queue of runs",
    "web": "Dagster UI",
}

_LONGEST_SOCKET = 100  # characters; the operating system takes 107
_WAIT_SECONDS = 120  # for the code server, which loads the definitions first
_WORKSPACE = """load_from:
  - grpc_server:
      socket: {socket}
      location_name: royalty_flows
"""


def serve(part: str, host: str, port: int) -> NoReturn:
    """Become a part of the service. `host` and `port` are those of the UI.

    Raises BadInput if the code server does not answer, its socket's path is too long, or as
    `dagster_home` does.
    """
    listening = _socket_in(home_folder())
    workspace = listening.with_name("service_workspace.yaml")
    if part != "code":
        _wait_for(listening)  # and so for the folder, which the code server prepares
    dagster_home()
    if part == "code":
        replace_text(workspace, _WORKSPACE.format(socket=listening))
        listening.unlink(missing_ok=True)  # of an earlier process
    os.chdir(PROJECT_ROOT)
    command = {
        "code": [
            *("dagster", "api", "grpc", "--socket", str(listening)),
            *("--module-name", "dagster_project.definitions", "--location-name", "royalty_flows"),
            "--use-python-environment-entry-point",  # no script that names a folder
        ],
        "daemon": ["dagster._daemon", "run", "--workspace", str(workspace)],
        "web": [
            *("dagster_project.ui", "--workspace", str(workspace)),
            *("--host", host, "--port", str(port)),
        ],
    }[part]
    os.execv(sys.executable, [sys.executable, "-m", *command])


def _socket_in(home: Path) -> Path:
    path = home / "code.sock"
    if len(os.fsencode(path)) > _LONGEST_SOCKET:
        raise BadInput(
            "a folder whose path is too long for a socket",
            where=str(home),
            expected=f"at most {_LONGEST_SOCKET} bytes, with the name of the socket",
            found=f"{len(os.fsencode(path))}",
            fix="set DAGSTER_HOME to a folder with a shorter path, and move the old one there",
        )
    return path


def _wait_for(listening: Path) -> None:
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                return probe.connect(str(listening))
            except OSError as error:
                found = error.strerror or str(error)
        if time.monotonic() > until:
            raise BadInput(
                "the code server does not answer",
                where=str(listening),
                expected=f"`python -m dagster_project serve code`, within {_WAIT_SECONDS} seconds",
                found=found,
                fix="start it (`systemctl start royalty-flows-code`), or see its log",
            )
        time.sleep(0.5)
