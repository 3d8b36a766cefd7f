import tomllib

import dagster as dg

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.patches.dagster_run_origin import CODE_LOCATION, runs_with_origin


@dg.op
def made_up() -> None: ...


@dg.job
def made_up_job() -> None:
    made_up()


def executed(instance: dg.DagsterInstance) -> dg.DagsterRun:
    with runs_with_origin(instance, made_up_job.name):
        return made_up_job.execute_in_process(instance=instance).dagster_run


def test_a_run_carries_the_location_and_the_repository_that_the_ui_asks_for() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = executed(instance)
        label = {".dagster/repository": f"__repository__@{CODE_LOCATION}"}
        assert [found.run_id for found in instance.get_runs(dg.RunsFilter(tags=label))] == [
            run.run_id
        ]
        assert made_up_job.execute_in_process(instance=instance).dagster_run.remote_job_origin is (
            None  # else Dagster does it by itself, and the patch can go
        )
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.location_name == CODE_LOCATION
    assert run.remote_job_origin.job_name == "made_up_job"


def test_the_location_is_the_one_that_the_ui_loads() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["dg"]
    assert project["project"]["code_location_name"] == CODE_LOCATION
