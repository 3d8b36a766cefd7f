import pytest

from tests.publication.s3_server import S3Server
from tests.support import Warehouse
from tests.survival.object_client import DUCKDB_MODES, FRAME_MODES
from tests.survival.object_readers import BENCH, read_through

pytestmark = pytest.mark.slow

needs_bench = pytest.mark.skipif(
    not BENCH.exists(), reason="no .venv-bench with polars and pandas (make .venv-bench/ready)"
)


@pytest.mark.parametrize(
    ("modes", "readers", "publications"),
    [
        pytest.param(DUCKDB_MODES, 6, 4, id="duckdb"),
        pytest.param(FRAME_MODES, 4, 2, id="polars and pandas", marks=needs_bench),
    ],
)
def test_no_answer_from_object_storage_mixes_two_publications_and_none_fails(
    warehouse: Warehouse, s3: S3Server, modes: tuple[str, ...], readers: int, publications: int
) -> None:
    found = read_through(warehouse, s3.base, readers, publications, modes)
    assert found["errors"] == []
    assert found["mixed"] == []
    assert found["seen"] == publications + 1
    assert found["pruned"] == publications - 2
    assert found["answers"] >= readers * (publications + 1)
