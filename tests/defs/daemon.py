"""The landing sensor, evaluated as the daemon does it."""

from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

import dagster as dg

from dagster_project.base.clock import system_clock
from dagster_project.base.settings import Settings
from dagster_project.defs import landing_sensor
from tests.support import defs

if TYPE_CHECKING:
    from dagster._core.definitions.sensor_definition import SensorExecutionData


class Landing:
    """The sensor with its cursor, on the instance and the folders of a test.

    pause: seconds between evaluations. As a rule long enough for a release to be complete.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.cursor = instance, ""
        self.pause: float = landing_sensor.SETTLED
        self.now = system_clock()
        self.requested: list[str] = []
        self.sensor = next(each for each in defs().sensors or [] if each.name == "landing")

    def evaluate(self) -> "SensorExecutionData":
        """Evaluate once, and store cursor and partitions as the daemon does."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            repository_def=defs().get_repository_def(),
            resources={"settings": Settings()},
        )
        # The daemon's context has this of its own; without it no partition is known.
        vars(context)["caching_dynamic_partitions_loader"] = self.instance
        self.now += timedelta(seconds=self.pause)
        with patch.object(landing_sensor, "system_clock", lambda: self.now):
            result = self.sensor.evaluate_tick(context)
        for asked in result.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(
                asked.partitions_def_name, list(asked.partition_keys)
            )
        self.cursor = result.cursor or ""
        new = [request for request in result.run_requests or [] if request.run_key]
        assert not {request.run_key for request in new} & set(self.requested)
        self.requested += [request.run_key or "" for request in new]
        return result

    def requests(self) -> list[str]:
        """Evaluate; return `<job> <partition>` of each run requested."""
        return [
            " ".join(filter(None, [request.job_name, request.partition_key]))
            for request in self.evaluate().run_requests or []
        ]

    def message(self) -> str:
        """Evaluate; return why nothing was requested."""
        result = self.evaluate()
        assert not result.run_requests
        return result.skip_message or ""


def schedule_of(source: str) -> dg.ScheduleDefinition:
    """Return the schedule that fetches a source."""
    found = next(each for each in defs().schedules or [] if each.name == f"fetch_{source}")
    assert isinstance(found, dg.ScheduleDefinition)
    return found
