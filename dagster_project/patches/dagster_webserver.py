"""Dagster's web server behind a middleware, also under `dg dev`.

Version: dagster-webserver and dagster 1.13.27.
Why: the server has no login and no check of Host, Origin or content type, and no option for a
middleware; `dg dev` starts it as a child by module name.
Measured: nothing; this is about safety, not about speed.
Upstream: https://github.com/dagster-io/dagster/issues/2219 (authentication of the UI).
Off: never; `dagster-webserver` itself starts the server without it.
Canary: tests/patches/test_canary.py; tests/security/test_ui_guard.py checks the running server.
"""

from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

from starlette.types import ASGIApp


def serve(guard: Callable[[ASGIApp], ASGIApp]) -> None:
    """Run `dagster-webserver` with this process's arguments, and every request through `guard`."""
    from dagster_webserver import cli

    create = cli.create_app_from_workspace_process_context

    def guarded(*args: Any, **options: Any) -> ASGIApp:
        return guard(create(*args, **options))

    with patch.object(cli, "create_app_from_workspace_process_context", guarded):
        cli.main()


def develop(module: str, arguments: Sequence[str]) -> None:
    """Run `dg dev` with a module in place of `dagster_webserver`. Ends the process."""
    from dagster._cli import dev
    from dagster_dg_cli.cli.dev import dev_command

    start = dev.open_ipc_subprocess
    plain = ["-m", "dagster_webserver"]

    def guarded(command: Sequence[str], **options: Any) -> Any:
        if list(command[1:3]) == plain:
            command = [command[0], "-m", module, *command[3:]]
        return start(command, **options)

    with patch.object(dev, "open_ipc_subprocess", guarded):
        dev_command.main(list(arguments), prog_name="dg dev")
