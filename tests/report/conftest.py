"""The report on the publishers' files, and on the made-up ones, each written once a session."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from dagster_project.base.settings import Settings
from dagster_project.publication.kept_files import publication_id
from dagster_project.report.site import write_report
from tests.support import Scenario

Site = Callable[[Scenario, Path], Settings]


def _written(scenario: Scenario, folder: Path) -> Settings:
    """Write a report beside a scenario, in a folder of its own; once for all test processes."""
    settings, there = Settings(warehouse_dir=folder), scenario.warehouse.settings
    with FileLock(folder.with_suffix(".lock")):
        if not settings.report.exists():
            (folder / "exports").mkdir(parents=True)
            os.link(there.warehouse, settings.warehouse)
            publication = str(publication_id(there))
            (folder / "exports" / publication).symlink_to(there.exports / publication)
            write_report(settings)
    return settings


@pytest.fixture(scope="session")
def real_report(real: Scenario, shared: Path) -> Settings:
    """The settings of a folder with the published file of `real` and its report, nothing else."""
    return _written(real, shared / "real_report")


@pytest.fixture(scope="session")
def made_up_report(template: Scenario, shared: Path) -> Settings:
    """The same for `template`."""
    return _written(template, shared / "made_up_report")
