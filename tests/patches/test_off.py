"""`ROYALTY_PATCHES=off` runs the libraries as they come: no patch is even imported."""

import sys
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.base.settings import PATCHES, Settings
from dagster_project.pipeline.dagster_runs import Dagster, runs_shown_in_ui
from tests.gates.test_run_suites import judge, no_rows


@dg.job
def made_up_job() -> None: ...


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patches that cannot be imported, as after an upgrade of their library."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    for patch in PATCHES:
        monkeypatch.setitem(sys.modules, f"dagster_project.patches.{patch}", None)


@pytest.mark.usefixtures("broken")
def test_switched_off_patches_are_not_imported(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_PATCHES", "off")
    settings = Settings()
    with dg.DagsterInstance.ephemeral() as instance, runs_shown_in_ui(settings, instance, "any"):
        run = made_up_job.execute_in_process(instance=instance).dagster_run
    assert run.remote_job_origin is None
    Dagster(settings).instance.dispose()
    assert judge(database, no_rows("code = 'X'")).success


@pytest.mark.usefixtures("broken")
def test_patches_that_are_on_are_imported(database: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(ImportError):
        runs_shown_in_ui(Settings(), instance, "any")
    with pytest.raises(ImportError):
        _ = Dagster(Settings()).instance
    with pytest.raises(ImportError):
        judge(database, no_rows("code = 'X'"))
