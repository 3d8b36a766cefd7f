"""The guard in front of the UI depends on how Dagster starts its server: see test_canary.py.

Unlike the other patches it cannot be switched off. tests/security/ checks the running server.
"""

from importlib.metadata import version
from typing import Any

import pytest
from dagster._cli import dev
from dagster_webserver import cli

from dagster_project.patches.dagster_webserver import develop, serve
from tests.patches.test_canary import digest


def test_dagster_starts_its_server_as_the_patch_expects() -> None:
    functions = (dev.dev_command_impl, cli.host_dagster_ui_with_workspace_process_context)
    assert (version("dagster-webserver"), digest(functions)) == ("1.13.27", "7def82841ed5b85a")


def test_every_request_goes_through_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    name = "create_app_from_workspace_process_context"
    monkeypatch.setattr(cli, name, lambda *_, **__: "app")
    monkeypatch.setattr(cli, "main", lambda: served.append(getattr(cli, name)()))

    def guard(app: Any) -> Any:
        return "guarded", app

    serve(guard)
    assert served == [("guarded", "app")]


def test_dg_dev_starts_the_given_module(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(dev, "open_ipc_subprocess", lambda command, **_: started.append(command))
    monkeypatch.setattr(
        "dagster_dg_cli.cli.dev.dev_command.main",
        lambda *_, **__: [
            dev.open_ipc_subprocess(["python", "-m", module, "--port", "1"])
            for module in ("dagster_webserver", "dagster._daemon")
        ],
    )
    develop("made_up", [])
    assert [command[2] for command in started] == ["made_up", "dagster._daemon"]
    assert started[0] == ["python", "-m", "made_up", "--port", "1"]
