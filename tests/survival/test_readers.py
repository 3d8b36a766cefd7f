import pytest

from tests.support import Warehouse
from tests.survival.readers import read_through

pytestmark = pytest.mark.slow


def test_no_answer_mixes_two_publications_and_no_reader_has_an_error(warehouse: Warehouse) -> None:
    found = read_through(warehouse, readers=12, publications=6)
    assert found["errors"] == []
    assert found["mixed"] == []
    assert found["seen"] == found["different"] == 7
    assert found["answers"] >= 12 * 7
    assert found["late"] > 0
