from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from dagster_project.base.settings import Settings
from dagster_project.patches.dagster_event_log import OpenEventLog
from dagster_project.pipeline.dagster_runs import Dagster


@dg.asset(check_specs=[dg.AssetCheckSpec("gate", asset="made_up")])
def made_up() -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=False)]
    )


def test_the_ui_reads_the_history_that_the_main_job_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The webserver opens the same files with Dagster's own storage, while ours are still open."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    ours = Dagster(Settings()).instance
    assert isinstance(ours.event_log_storage, OpenEventLog)
    runs = [dg.materialize([made_up], instance=ours).run_id for _ in range(6)]
    theirs = DagsterInstance.from_config(str(tmp_path))
    assert not isinstance(theirs.event_log_storage, OpenEventLog)
    for run in runs:
        kinds = [entry.dagster_event_type for entry in theirs.all_logs(run)]
        assert kinds == [entry.dagster_event_type for entry in ours.all_logs(run)]
        assert dg.DagsterEventType.ASSET_MATERIALIZATION in kinds
        assert dg.DagsterEventType.RUN_SUCCESS in kinds
    materialization = theirs.get_latest_materialization_event(dg.AssetKey("made_up"))
    assert materialization is not None
    assert materialization.run_id == runs[-1]
    ours.dispose()
