import pytest

from tests.publication.s3_server import S3Server
from tests.support import Warehouse
from tests.survival.object_readers import read_through

pytestmark = pytest.mark.slow


def test_no_answer_from_object_storage_mixes_two_publications_and_none_fails(
    warehouse: Warehouse, s3: S3Server
) -> None:
    found = read_through(warehouse, s3.base, readers=6, publications=4)
    assert found["errors"] == []
    assert found["mixed"] == []
    assert found["seen"] == 5
    assert found["pruned"] == 2
    assert found["answers"] >= 6 * 5
