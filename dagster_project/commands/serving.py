"""What starts Dagster's processes: the UI, and the parts of the service.

Each command takes the settings and its options, returns an exit code, and raises BadInput for what
it refuses. What takes seconds to import is imported when called.
"""

import argparse
import os
import socket
import sys
from typing import NoReturn

from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.errors import BadInput
from dagster_project.base.logs import say
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.pipeline.dagster_runs import fail_orphaned_runs
from dagster_project.pipeline.run import PUBLISHED
from dagster_project.workbench.connection import write_lock


def open_ui(settings: Settings, options: argparse.Namespace) -> NoReturn:
    """Replace this process by `dg dev` with the guarded UI.

    Raises BadInput if the port is taken: `dg` ignores that.
    """
    _refuse_if_taken(options.port)
    dagster_home()
    _fail_orphaned_ui_runs(settings)
    os.chdir(PROJECT_ROOT)
    # Else `dg` warns that it is not active, or that another is: of another checkout.
    os.environ["VIRTUAL_ENV"] = sys.prefix
    lines = ["--log-format", "json"] if settings.log_format == "json" else []
    module = [sys.executable, "-m", "dagster_project.ui.develop"]
    os.execv(sys.executable, [*module, "--host", "127.0.0.1", "--port", str(options.port), *lines])


def become_service(settings: Settings, options: argparse.Namespace) -> NoReturn:
    """Replace this process by a part of the service."""
    from dagster_project.service.processes import serve

    if options.part == "code":  # its runs are its children, so none is alive
        dagster_home()
        _fail_orphaned_ui_runs(settings)
    serve(options.part, options.host, options.port)


def install_service(settings: Settings, options: argparse.Namespace) -> int:
    """Write systemd units."""
    from dagster_project.service.units import write_units

    written = write_units(settings, options.to, options.user, options.port)
    for path in written:
        say(f"written {path}")
    systemctl = "systemctl" if os.geteuid() == 0 else "systemctl --user"
    names = " ".join(path.stem for path in written)
    say(f"run `{systemctl} daemon-reload`, then `{systemctl} enable --now {names}`")
    return PUBLISHED


def _refuse_if_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BadInput(
                "the port is taken",
                where=f"127.0.0.1:{port}",
                expected="a free port for the UI",
                found=error.strerror or str(error),
                fix="close the program that uses it (another UI?), or set `make dev PORT=...`",
            ) from error


def _fail_orphaned_ui_runs(settings: Settings) -> None:
    """Mark runs as failed that died with the machine: they would block the queue."""
    from dagster import DagsterInstance

    try:
        with write_lock(settings), DagsterInstance.get() as instance:
            fail_orphaned_runs(instance)
    except (BadInput, OSError):
        return  # another run is writing: those runs may be alive; or this user only reads
