import shutil

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.publication import publish as publishing
from dagster_project.publication.kept_files import kept_publications, publication_id
from dagster_project.publication.rollback import roll_back
from tests.support import Warehouse, held_by, interrupt


@pytest.fixture
def three(warehouse: Warehouse) -> list[str]:
    """Ids of three publications, oldest first; the last is live."""
    published = [live_publication(warehouse)]
    for _ in range(2):
        warehouse.restore_candidate()
        published.append(warehouse.publish_candidate().publication_id)
    return published


def live_publication(warehouse: Warehouse) -> str:
    """The id of the publication that the published file holds, by its own ledger."""
    return held_by(warehouse.settings.warehouse)


def test_it_goes_back_one_publication_at_a_time(warehouse: Warehouse, three: list[str]) -> None:
    assert roll_back(warehouse.settings) == three[1] == live_publication(warehouse)
    assert roll_back(warehouse.settings) == three[0] == live_publication(warehouse)
    with pytest.raises(BadInput, match="nothing to roll back to"):
        roll_back(warehouse.settings)
    assert live_publication(warehouse) == three[0]


def test_it_goes_back_one_in_a_folder_that_was_restored_from_a_copy(
    warehouse: Warehouse, three: list[str]
) -> None:
    published = warehouse.settings.warehouse
    copy = published.with_suffix(".copy")
    shutil.copyfile(published, copy)
    copy.replace(published)
    assert publication_id(warehouse.settings) == three[2]
    assert roll_back(warehouse.settings) == three[1] == live_publication(warehouse)


def test_a_publication_that_a_crash_kept_from_going_live_is_skipped(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = live_publication(warehouse)
    warehouse.restore_candidate()
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "activate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish_candidate()
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    assert len(kept_publications(warehouse.settings)) == 3
    assert roll_back(warehouse.settings) == first == live_publication(warehouse)


def test_a_publication_that_is_not_kept_is_refused(warehouse: Warehouse, three: list[str]) -> None:
    with pytest.raises(BadInput, match="no such publication") as caught:
        roll_back(warehouse.settings, "20000101T000000000")
    assert caught.value.found == "20000101T000000000"
    assert live_publication(warehouse) == three[2]


def test_it_goes_to_a_publication_by_its_id_and_forward_again(
    warehouse: Warehouse, three: list[str]
) -> None:
    assert roll_back(warehouse.settings, three[0]) == three[0] == live_publication(warehouse)
    assert roll_back(warehouse.settings, three[2]) == three[2] == live_publication(warehouse)


def test_the_file_equals_the_kept_one_byte_for_byte(warehouse: Warehouse, three: list[str]) -> None:
    kept = {held_by(path): file_sha256(path) for path in kept_publications(warehouse.settings)}
    roll_back(warehouse.settings)
    assert file_sha256(warehouse.settings.warehouse) == kept[three[1]]
    assert len(kept_publications(warehouse.settings)) == 3


def test_an_unknown_publication_is_refused_with_those_that_are_kept(
    warehouse: Warehouse, three: list[str]
) -> None:
    with pytest.raises(BadInput) as caught:
        roll_back(warehouse.settings, "20000101T000000000")
    assert all(name in caught.value.expected for name in three)
    assert live_publication(warehouse) == three[2]


def test_a_reader_keeps_the_file_it_has_open(warehouse: Warehouse, three: list[str]) -> None:
    newest = "select max(publication_id) from audit.publication"
    with duckdb.connect(warehouse.settings.warehouse, read_only=True) as held:
        roll_back(warehouse.settings)
        assert held.execute(newest).fetchall() == [(three[2],)]
    assert warehouse.published(newest) == [(three[1],)]


def test_the_live_publication_is_not_deleted(
    warehouse: Warehouse, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_KEEP_PUBLICATIONS", "1")
    roll_back(warehouse.settings, three[0])
    warehouse.restore_candidate()
    done = warehouse.publish_candidate()
    assert [held_by(path) for path in kept_publications(warehouse.settings)] == [
        done.publication_id
    ]
    assert live_publication(warehouse) == done.publication_id


def test_a_run_with_nothing_new_leaves_the_rollback_live(
    warehouse: Warehouse, three: list[str]
) -> None:
    roll_back(warehouse.settings, three[0])
    outcome = warehouse.run()
    assert f"nothing new: publication {three[0]} stays live" in outcome.output
    assert live_publication(warehouse) == three[0]


def test_without_any_publication_there_is_nothing_to_roll_back_to(folders: Warehouse) -> None:
    with pytest.raises(BadInput, match="none is kept"):
        roll_back(folders.settings)
