"""The tags that Dagster sets on its runs. Dagster documents them but exports no constants.

tests/base/test_run_tags.py pins each to Dagster's own constant.
"""

MAX_RETRIES = "dagster/max_retries"
PARTITION = "dagster/partition"
PARTITION_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
RETRY_ON_ANY_FAILURE = "dagster/retry_on_asset_or_op_failure"
RETRY_RUN_ID = "dagster/auto_retry_run_id"
RETRY_STRATEGY = "dagster/retry_strategy"
RUN_KEY = "dagster/run_key"  # on runs that a sensor requested
WILL_RETRY = "dagster/will_retry"
