"""Fixtures: folders of the test's own, and warehouses that are built once a session.

A whole run takes tens of seconds, so a session builds few (`template`, and the scenarios of the
test modules), under a file lock, in the folder that all xdist processes share. Tests copy them.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.environment import clear_environment
from tests.fetching.publisher_server import Publisher, publisher
from tests.publication.s3_server import S3Server, s3_server
from tests.support import (
    COLLECTED,
    GARBAGE,
    MADE_UP,
    REAL_FILES,
    REAL_FILES_MORE,
    TEXTS,
    Outcome,
    Scenario,
    Warehouse,
    built_once,
    environment,
    rebuilt,
    writable_copy,
)

# As every command does. It gives a home to a user without one, which libraries ask for when other
# folders' conftest.py import them.
clear_environment()


def pytest_configure(config: pytest.Config) -> None:
    """Have the dbt project parsed once, before test processes that would all do it start."""
    os.environ["ROYALTY_ENV_FILE"] = ""  # no test depends on a developer's `.env`
    if not hasattr(config, "workerinput"):
        from dagster_project.base.cache_folder import SETTING
        from dagster_project.transform.dbt_runner import manifest_path

        # Where the checkout is read-only, it may be a temporary folder.
        os.environ.setdefault(SETTING, str(manifest_path().parents[1]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Remember what is collected, before markers deselect a part of it.

    Files whose tests need a warehouse come first, and of these what needs real files: two processes
    then begin with two warehouses, and end with small files that share out evenly.
    """
    config.stash[COLLECTED] = list(items)
    needs: dict[Path, set[str]] = {}
    for item in items:
        needs.setdefault(item.path, set()).update(getattr(item, "fixturenames", ()))
    items.sort(
        key=lambda item: (
            needs[item.path].isdisjoint({"real", "union"}),
            "shared" not in needs[item.path],
        )
    )


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Empty folders for one test, set in the environment: no test touches the project's."""
    warehouse = Warehouse(tmp_path)
    for name, value in warehouse.environment.items():
        monkeypatch.setenv(name, value)
    return warehouse


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database."""
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all test processes of the session share, or several sessions: SHARED_FOLDER."""
    if given := os.environ.get("SHARED_FOLDER"):
        return Path(given)
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def template(shared: Path) -> Scenario:
    """The made-up landing folder, and the warehouse that a run of the main job made of it."""

    def build(warehouse: Warehouse) -> Outcome:
        writable_copy(MADE_UP, warehouse.landing)
        return warehouse.run(keep_history=True)  # which the UI shows

    return built_once(shared / "template", build)


@pytest.fixture(scope="session")
def real(shared: Path) -> Scenario:
    """The warehouse of the publishers' own files, which are not in the repository, and the texts.

    Tests that use it skip where the folder is missing.
    """
    if not REAL_FILES.is_dir():
        pytest.skip("the publishers' files are not at ../shared/landing")

    def build(warehouse: Warehouse) -> Outcome:
        warehouse.landing.mkdir()
        for folder in (*REAL_FILES.iterdir(), TEXTS):
            if folder.is_dir():
                (warehouse.landing / folder.name).symlink_to(folder)
        return warehouse.run()

    return built_once(shared / "real", build)


@pytest.fixture(scope="session")
def union(shared: Path) -> Scenario:
    """The warehouse of all known files of the publishers, with the bundled texts.

    Tests that use it skip where the folders are missing.
    """
    if not REAL_FILES.is_dir() or not REAL_FILES_MORE.is_dir():
        pytest.skip("the publishers' files are not at ../shared/landing and ../shared/landing-more")

    def build(warehouse: Warehouse) -> Outcome:
        for folder in (REAL_FILES, REAL_FILES_MORE):
            writable_copy(folder, warehouse.landing, dirs_exist_ok=True)
        with environment({"ROYALTY_BUNDLED_RELEASES": "true"}):
            return warehouse.run()

    return built_once(shared / "union", build)


@pytest.fixture
def warehouse(template: Scenario, folders: Warehouse) -> Iterator[Warehouse]:
    """A copy of the template that a test may change, in the environment."""
    yield template.warehouse.copy(folders.folder)
    shutil.rmtree(folders.folder)  # tens of megabytes


@pytest.fixture(scope="session")
def after_damage(shared: Path, template: Scenario) -> Scenario:
    """The template, rebuilt after its workbench was overwritten with garbage."""

    def build(warehouse: Warehouse) -> Outcome:
        warehouse.settings.workbench.write_bytes(GARBAGE)
        return rebuilt(warehouse)

    return built_once(shared / "after_damage", build, template.warehouse)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """A publisher that serves nothing yet."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with publisher() as started:
        yield started


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server of object storage, in the environment."""
    with s3_server() as started:
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        yield started
