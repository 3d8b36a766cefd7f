"""Uploads as the main job and the sensor start them."""

import dagster as dg
import pytest
from dagster import DagsterInstance

from dagster_project.alerts import delivery
from dagster_project.base.settings import Settings
from dagster_project.definitions import definitions
from dagster_project.defs.resources import resources
from dagster_project.publication.kept_files import publication_id
from dagster_project.publication.upload import upload, upload_errors
from tests.publication.s3_server import S3Server
from tests.publication.test_upload import publish_next
from tests.support import Warehouse


def failed_tries(outcome_steps: list[tuple[str, str, str]]) -> int:
    return sum(
        1
        for job, event, step in outcome_steps
        if (job, event, step) == ("upload", "STEP_START", "uploaded_publication")
    )


# The main job


def test_a_run_uploads_what_it_publishes_and_shows_it_in_the_ui(
    warehouse: Warehouse, s3: S3Server
) -> None:
    outcome = warehouse.run()  # nothing new, but not uploaded yet
    live = publication_id(warehouse.settings)
    assert outcome.code == 0
    assert f"uploaded {live}: s3://" in outcome.output
    assert s3.current()["publication"] == live
    shown = outcome.metadata("uploaded_publication")
    assert shown["publication"] == live
    assert shown["objects"] == shown["objects written"] == len(s3.current()["files"])
    again = warehouse.run()
    assert (again.code, again.steps) == (0, [])
    assert f"object storage has publication {live}" in again.output


def test_a_failed_upload_leaves_the_publication_live_and_the_next_run_completes_it(
    warehouse: Warehouse, s3: S3Server
) -> None:
    first = publication_id(warehouse.settings)
    upload(warehouse.settings)
    s3.allow("s3:PutObject")
    live = publish_next(warehouse)
    outcome = warehouse.run()
    assert outcome.code == 2
    assert f"NOT UPLOADED {live}: it is live here" in outcome.output
    assert "the object store refuses access" in outcome.output
    assert failed_tries(outcome.steps) == 1  # a refusal is not retried
    assert publication_id(warehouse.settings) == live
    assert s3.current()["publication"] == first
    s3.allow()
    assert warehouse.run().code == 0
    assert s3.current()["publication"] == live
    assert upload_errors(warehouse.settings) == []


def test_dagster_retries_an_outage_twice(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ROYALTY_PUBLISH_SECONDS", "0.2")
    outcome = warehouse.run()
    assert outcome.code == 2
    assert "the object store does not do what it is asked" in outcome.output
    assert sum(event == "STEP_FAILURE" for _, event, _ in outcome.steps) == 1
    with DagsterInstance.ephemeral() as instance:
        job = definitions(warehouse.settings).resolve_job_def("upload")
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, resources=resources(warehouse.settings)
        )
        kinds = [event.event_type_value for event in result.all_events]
    assert kinds.count("STEP_RESTARTED") == 2


def test_a_failed_upload_is_part_of_the_alert(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(
        delivery, "send_alert", lambda _, failures: sent.extend(each.what for each in failures)
    )
    s3.allow("s3:PutObject")
    warehouse.run()
    assert sent == [f"NOT UPLOADED {publication_id(warehouse.settings)}"]


def test_without_a_url_there_is_no_upload(warehouse: Warehouse) -> None:
    jobs = {job.name for job in definitions(Settings()).resolve_all_job_defs()}
    assert "upload" not in jobs
    assert "upload" not in warehouse.run().output


def test_the_build_job_does_not_upload(s3: S3Server) -> None:
    graph = definitions(Settings())
    assert "uploaded_publication" not in graph.resolve_job_def("build").graph.node_dict
    assert list(graph.resolve_job_def("upload").graph.node_dict) == ["uploaded_publication"]


# The sensor


class Ticks:
    """The sensor `upload`, evaluated by hand, with an instance."""

    def __init__(self, instance: DagsterInstance) -> None:
        self.instance = instance

    def tick(self) -> dg.RunRequest | str:
        graph = definitions(Settings())
        context = dg.build_sensor_context(
            instance=self.instance,
            resources={"settings": Settings()},
            definitions=graph,
        )
        result = graph.resolve_sensor_def("upload").evaluate_tick(context)
        if result.run_requests:
            return result.run_requests[0]
        return str(result.skip_message)

    def run(self, request: dg.RunRequest | str) -> bool:
        assert isinstance(request, dg.RunRequest)
        job = definitions(Settings()).resolve_job_def("upload")
        return job.execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            resources=resources(Settings()),
            tags=dict(request.tags),
        ).success


def test_the_sensor_uploads_each_publication_and_rollback_once(
    warehouse: Warehouse, s3: S3Server
) -> None:
    from dagster_project.publication.rollback import roll_back

    with DagsterInstance.ephemeral() as instance:
        ticks = Ticks(instance)
        first = publication_id(warehouse.settings)
        assert ticks.run(ticks.tick())
        assert ticks.tick() == ticks.tick() == f"publication {first} is uploaded"
        s3.delete(s3.current()["files"][0]["path"])
        assert ticks.run(ticks.tick())
        second = publish_next(warehouse)
        assert ticks.run(ticks.tick())
        assert s3.current()["publication"] == second
        for _ in range(2):  # back and forth within the hour
            roll_back(warehouse.settings, first)
            assert ticks.run(ticks.tick())
            assert s3.current()["publication"] == first
            roll_back(warehouse.settings, second)
            assert ticks.run(ticks.tick())
            assert s3.current()["publication"] == second


def test_the_sensor_waits_an_hour_after_a_failure_but_not_for_another_publication(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from dagster_project.base.clock import system_clock
    from dagster_project.defs import upload as module

    with DagsterInstance.ephemeral() as instance:
        ticks = Ticks(instance)
        s3.allow("s3:PutObject")
        assert not ticks.run(ticks.tick())
        assert "the next attempt is an hour after it" in str(ticks.tick())
        with monkeypatch.context() as patch:
            patch.setattr(module, "system_clock", lambda: system_clock() + timedelta(hours=1))
            assert isinstance(ticks.tick(), dg.RunRequest)
        with monkeypatch.context() as patch:  # it failed while the clock was days ahead
            patch.setattr(module, "system_clock", lambda: system_clock() - timedelta(days=3))
            assert isinstance(ticks.tick(), dg.RunRequest)
        publish_next(warehouse)
        s3.allow()
        assert ticks.run(ticks.tick())


def test_the_sensor_does_nothing_before_the_first_publication(
    folders: Warehouse, s3: S3Server
) -> None:
    with DagsterInstance.ephemeral() as instance:
        assert Ticks(instance).tick() == "nothing is published"
