"""The names of Dagster's tags are Dagster's."""

from dagster._core.storage import tags

from dagster_project.base import run_tags


def test_each_tag_is_the_one_that_dagster_reads_and_writes() -> None:
    expected = {
        "MAX_RETRIES": tags.MAX_RETRIES_TAG,
        "PARTITION": tags.PARTITION_NAME_TAG,
        "PARTITION_RANGE": (
            tags.ASSET_PARTITION_RANGE_START_TAG,
            tags.ASSET_PARTITION_RANGE_END_TAG,
        ),
        "RETRY_ON_ANY_FAILURE": tags.RETRY_ON_ASSET_OR_OP_FAILURE_TAG,
        "RETRY_RUN_ID": tags.AUTO_RETRY_RUN_ID_TAG,
        "RETRY_STRATEGY": tags.RETRY_STRATEGY_TAG,
        "RUN_KEY": tags.RUN_KEY_TAG,
        "WILL_RETRY": tags.WILL_RETRY_TAG,
    }
    assert {name: value for name, value in vars(run_tags).items() if name.isupper()} == expected
