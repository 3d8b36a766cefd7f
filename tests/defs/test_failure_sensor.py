"""Real runs that fail, and the alerts that the sensor and `make run` send."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.events import RunFailureReason
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._core.test_utils import create_run_for_test

from dagster_project.__main__ import main
from dagster_project.alerts.message import MOST_LETTERS, Alert, message
from dagster_project.base import dagster_home
from dagster_project.base.dagster_home import BY_MAKE_RUN
from dagster_project.base.settings import Settings
from dagster_project.defs.failure_sensor import run_failure_alert
from dagster_project.defs.resources import resources
from dagster_project.pipeline.run import run
from tests.alerts.receivers import SECRET, Webhook, mail_server, webhook
from tests.pipeline.test_run import text_of
from tests.support import TEXT, Warehouse, execute, job_named

SOURCE, DAY = "published_figures", "2020-01-31"
NOTHING_FAILED = "Sensor function returned an empty result"
UI = "https://dagster.example.org/"


class Daemon:
    """A Dagster instance, its runs, and the sensor's ticks over them."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self._cursor: str | None = None
        self.tick()  # the first one sets the cursor

    def tick(self) -> list[Any]:
        """Return the reactions and the reason to skip of a tick."""
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self._cursor, resources={"settings": Settings()}
        )
        done = run_failure_alert.evaluate_tick(context)
        self._cursor = done.cursor
        skipped = done.skip_message if done.skip_message != NOTHING_FAILED else None
        return [*(done.dagster_run_reactions or []), *filter(None, [skipped])]

    def run(self, job: str, partition: str | None = None, **tags: str) -> str:
        """Execute a job that must fail, and return the run's id."""
        result = self.execute(job, partition, **tags)
        assert not result.success
        return result.run_id

    def tags(self, run_id: str) -> dict[str, str]:
        """The tags of a run."""
        run = self.instance.get_run_by_id(run_id)
        assert run
        return dict(run.tags)

    def execute(
        self, job: str, partition: str | None = None, **tags: str
    ) -> dg.ExecuteInProcessResult:
        """Execute a job."""
        if partition:
            self.instance.add_dynamic_partitions(SOURCE, [partition])
        return job_named(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            raise_on_error=False,
            resources=resources(Settings()),
            tags=tags,
        )


@pytest.fixture
def daemon(folders: Warehouse) -> Iterator[Daemon]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Daemon(instance)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with webhook() as receiver:
        monkeypatch.setenv("ROYALTY_NOTIFY_WEBHOOK", receiver.url)
        monkeypatch.setenv("ROYALTY_NOTIFY_SECONDS", "0.5")
        monkeypatch.setenv("ROYALTY_UI_URL", UI)
        yield receiver


def land_doubled_figures(warehouse: Warehouse) -> None:
    """A release that can be read, with a figure stated twice: its gate rejects it."""
    twice = TEXT.read_text() + TEXT.read_text().splitlines()[4] + "\n"
    warehouse.land(SOURCE, DAY, TEXT.name, twice.replace("2019-06-30", DAY))


def test_a_rejected_release_is_one_complete_message(
    warehouse: Warehouse,
    daemon: Daemon,
    hook: Webhook,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land_doubled_figures(warehouse)
    with mail_server() as box:
        monkeypatch.setenv("ROYALTY_NOTIFY_EMAIL", "night@example.org")
        monkeypatch.setenv("ROYALTY_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("ROYALTY_SMTP_PORT", str(box.port))
        monkeypatch.setenv("ROYALTY_SMTP_SECURITY", "none")
        run_id = daemon.run(f"ingest_{SOURCE}", DAY)
        with caplog.at_level(logging.DEBUG):
            (reaction,) = daemon.tick()
        assert daemon.tick() == []
    assert reaction.error is None
    (posted,), (mail,) = hook.received, box.received
    assert mail["Subject"] == f"royalty flows: REJECTED {SOURCE} {DAY} (ingest_{SOURCE})"
    body = mail.get_content().replace("\r\n", "\n")
    ((reason,),) = warehouse.workbench(
        f"select distinct reason from audit.releases where release_date = '{DAY}'"
    )
    assert "expected: " in reason
    assert "found: 2 rows" in reason
    ((publication,),) = warehouse.published("select max(publication_id) from audit.publication")
    for part in (
        reason,
        f"live: {SOURCE} 2019-06-30, in publication {publication}",
        f"https://dagster.example.org/runs/{run_id}",
    ):
        assert part in body
    (failure,) = posted["failures"]
    assert (failure["source"], failure["release"], failure["run_id"]) == (SOURCE, DAY, run_id)
    assert posted["publication"] == publication
    events = "".join(str(entry) for entry in daemon.instance.all_logs(run_id))
    assert SECRET not in caplog.text + "".join(capfd.readouterr()) + events


def test_an_alert_of_a_refused_publication_names_the_one_that_stays_live(
    warehouse: Warehouse, daemon: Daemon, hook: Webhook
) -> None:
    ((before,),) = warehouse.published("select max(publication_id) from audit.publication")
    result = execute(dg.AssetSelection.assets("publication"), instance=daemon.instance)
    assert not result.success
    daemon.tick()
    (posted,) = hook.received
    assert "the candidate may not be published" in posted["text"]
    assert f"live: publication {before}" in posted["text"]
    assert posted["failures"][0]["source"] is None


def test_an_unreadable_release_sends_an_alert_before_the_first_publication(
    folders: Warehouse, daemon: Daemon, hook: Webhook
) -> None:
    folders.land(SOURCE, DAY, TEXT.name, "<html>we are sorry</html>")
    daemon.run(f"ingest_{SOURCE}", DAY)
    daemon.tick()
    (posted,) = hook.received
    assert f"{SOURCE} {DAY}" in posted["subject"]
    assert TEXT.name in posted["text"]
    assert "live: nothing" in posted["text"]


def test_a_webhook_that_is_down_fails_the_tick_once_and_is_reported_without_its_address(
    folders: Warehouse, daemon: Daemon, hook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = [503] * 99
    run_id = daemon.run(f"ingest_{SOURCE}", DAY)
    (reaction,) = daemon.tick()
    assert "webhook: HTTP 503" in reaction.error.to_string()
    assert SECRET not in reaction.error.to_string() + caplog.text
    assert reaction.dagster_run.run_id == run_id
    assert hook.requests > 1
    hook.answers = []
    assert daemon.tick() == []
    assert hook.received == []


def test_the_sensor_says_when_there_is_no_alert_destination(
    folders: Warehouse, daemon: Daemon
) -> None:
    daemon.run(f"ingest_{SOURCE}", DAY)
    (reason,) = daemon.tick()
    assert "ROYALTY_NOTIFY_WEBHOOK" in reason


@pytest.mark.parametrize("tags", [BY_MAKE_RUN, {"dagster/will_retry": "true"}])
def test_runs_that_are_retried_or_reported_elsewhere_send_no_alert(
    folders: Warehouse, daemon: Daemon, hook: Webhook, tags: dict[str, str]
) -> None:
    daemon.run(f"ingest_{SOURCE}", DAY, **tags)
    (reason,) = daemon.tick()
    assert "make run" in reason or "will be retried" in reason
    assert hook.requests == 0


def test_a_build_that_sets_a_release_aside_sends_one_alert_and_is_retried_by_dagster(
    warehouse: Warehouse, hook: Webhook
) -> None:
    bad = text_of(DAY, old="level,4.0,USD,9,0.1", new="level,0.00001,USD,9,0.1")
    warehouse.land(SOURCE, DAY, TEXT.name, bad)  # its rounding is larger than the figure
    warehouse.land(SOURCE, "2020-02-29", TEXT.name, text_of("2020-02-29", reporter="FRA"))
    settings = Path(dagster_home.__file__).with_name("dagster.yaml").read_text()
    retries = {"run_retries": yaml.safe_load(settings)["run_retries"]}
    with dg.DagsterInstance.ephemeral(settings=retries) as instance:
        daemon = Daemon(instance)
        assert daemon.execute(f"ingest_{SOURCE}", DAY).success
        assert daemon.execute(f"ingest_{SOURCE}", "2020-02-29").success
        failed = daemon.run("build")
        assert daemon.tags(failed)["dagster/will_retry"] == "true"
        (reaction,) = daemon.tick()
        assert reaction.error is None
        # Dagster's retry has the tags of its parent. A failure of its own there is not retried.
        group = {"dagster/parent_run_id": failed, "dagster/root_run_id": failed}
        tags = daemon.tags(failed) | group
        tags.pop("dagster/will_retry")
        assert daemon.execute("build", **tags).success
        assert daemon.tick() == []
        retry = create_run_for_test(
            instance,
            job_name="build",
            status=dg.DagsterRunStatus.FAILURE,
            tags=tags,
            root_run_id=failed,
            parent_run_id=failed,
        )
        failure_of_step = RunFailureReason.STEP_FAILURE
        assert not auto_reexecution_should_retry_run(instance, retry, failure_of_step)
    (posted,) = hook.received
    assert posted["subject"] == f"royalty flows: REJECTED {SOURCE}/{DAY} (build)"
    assert "expected: a number is not smaller than its rounding" in posted["text"]
    (failure,) = posted["failures"]
    assert (failure["source"], failure["release"], failure["run_id"]) == (SOURCE, DAY, failed)


def test_make_run_sends_one_alert_for_every_refusal_and_rejection_and_the_sensor_is_silent(
    warehouse: Warehouse, daemon: Daemon, hook: Webhook, capsys: pytest.CaptureFixture[str]
) -> None:
    land_doubled_figures(warehouse)
    warehouse.land("worldbank_wdi", "latest", "a.csv", "1")
    assert run(Settings(), (), daemon.instance) == 2
    assert daemon.tick() == []  # Dagster shows the sensor runs of its own code server only
    (posted,) = hook.received
    assert posted["subject"] == "royalty flows: REFUSED by make run and 1 more"
    refused, rejected = posted["failures"]
    assert "a release folder whose name is not a date" in refused["why"]
    assert (rejected["what"], rejected["release"]) == (f"REJECTED {SOURCE} {DAY}", DAY)
    assert rejected["why"].replace("\n", "\n    | ") in capsys.readouterr().out
    assert rejected["link"] == f"https://dagster.example.org/runs/{rejected['run_id']}"
    assert f"live: {SOURCE} 2019-06-30, in publication" in posted["text"]


def test_make_run_that_cannot_start_sends_an_alert_and_prints_one_that_was_not_sent(
    warehouse: Warehouse, hook: Webhook, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse.settings.warehouse.unlink()
    warehouse.settings.warehouse.write_text("no database")
    assert main(["run"]) == 1
    assert hook.received[0]["subject"] == "royalty flows: FAILED make run"
    assert "the published file cannot be read" in hook.received[0]["text"]
    assert "ALERT NOT SENT" not in capsys.readouterr().out
    hook.answers = [404]
    assert main(["run"]) == 1
    assert "ALERT NOT SENT: webhook: HTTP 404" in capsys.readouterr().out


def test_make_run_without_problems_sends_no_alert(warehouse: Warehouse, hook: Webhook) -> None:
    assert main(["run"]) == 0
    assert hook.requests == 0


def test_a_long_message_is_cut_and_says_so(folders: Warehouse) -> None:
    alert = message(Settings(), [Alert("FAILED x", "y" * 10_000), Alert("FAILED z", "short")])
    assert len(alert.text) < MOST_LETTERS
    assert "cut; see the run" in alert.text
    assert alert.fields["failures"][0]["why"] == "y" * 10_000
