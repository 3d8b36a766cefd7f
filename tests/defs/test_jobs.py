"""The jobs of an operator, as the UI starts them."""

from typing import Any

import dagster as dg
import pytest

from dagster_project.base.settings import Settings
from dagster_project.defs.resources import resources
from dagster_project.publication import publish as publishing
from dagster_project.publication.kept_files import kept_publications
from dagster_project.workbench.connection import open_workbench
from tests.support import Warehouse, held_by, interrupt, job_named


def start(job: str, step: str, **config: Any) -> tuple[bool, str]:
    """Run a job. Returns whether it succeeded, and what it said or failed with."""
    said: list[str] = []
    with dg.DagsterInstance.ephemeral() as instance:
        result = job_named(job).execute_in_process(
            run_config={
                "ops": {step: {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            resources=resources(Settings()),
            instance=instance,
            raise_on_error=False,
        )
        for entry in instance.all_logs(result.run_id):
            event = entry.dagster_event
            if event and event.is_step_failure and event.step_failure_data.user_failure_data:
                said.append(event.step_failure_data.user_failure_data.description or "")
            elif not event:
                said.append(entry.user_message)
    return result.success, "\n".join(said)


def test_an_interrupted_publication_is_finished_from_the_ui(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.restore_candidate()
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "activate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish_candidate()
    newest = kept_publications(warehouse.settings)[0]
    done, said = start("publish", "publication")
    assert done, said
    assert newest.samefile(warehouse.settings.warehouse)


def test_a_release_is_rejected_from_the_ui(warehouse: Warehouse) -> None:
    release = {"release": "worldbank_wdi/2016-03-01", "reason": "withdrawn"}
    done, said = start("decide", "decide_on_release", decision="reject", **release)
    assert done
    assert "Run the job `build` to publish accordingly" in said
    assert warehouse.workbench(
        "select status, reason from audit.releases where release_date = '2016-03-01'"
    ) == [("rejected", "rejected by hand: withdrawn")]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"release": "unknown/2016-03-01", "reason": "withdrawn"}, "not a release"),
        ({"release": "worldbank_wdi/2016-03-01", "reason": " "}, "a decision without a reason"),
    ],
)
def test_a_decision_that_cannot_be_made_fails_with_what_to_do(
    warehouse: Warehouse, config: dict, words: str
) -> None:
    done, said = start("decide", "decide_on_release", decision="reject", **config)
    assert not done
    assert words in said
    assert "what to do: " in said
    assert warehouse.workbench("from audit.decisions") == []


def test_a_rollback_from_the_ui_goes_live_and_is_in_the_ledger(warehouse: Warehouse) -> None:
    present = held_by(warehouse.settings.warehouse)
    done, said = start("rollback", "activate_publication", to=present, reason="wrong figures")
    assert done
    assert f"publication {present} is live" in said
    assert warehouse.workbench("select decision, subject, reason from audit.decisions") == [
        ("rollback", present, "wrong figures")
    ]


def test_a_rollback_to_an_unknown_publication_fails_with_the_list_of_kept_ones(
    warehouse: Warehouse,
) -> None:
    done, said = start("rollback", "activate_publication", reason="wrong figures")
    assert not done
    assert "nothing to roll back to" in said


@pytest.mark.parametrize("dry_run", [True, False])
def test_pruning_from_the_ui_is_a_dry_run_by_default(folders: Warehouse, dry_run: bool) -> None:
    with open_workbench(folders.settings):
        pass
    left = folders.settings.warehouse_dir / "rebuild"
    left.mkdir()
    done, said = start("prune", "remove_leftovers", dry_run=dry_run)
    assert done
    assert ("would remove" if dry_run else "removed") in said
    assert left.exists() == dry_run
