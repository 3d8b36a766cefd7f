"""The royalty-flow warehouse: sources → ingest → models → gates → publication.

Each sub-package depends only on those before it; `fetching` depends on sources alone. `definitions`
joins them for Dagster, `run` and `__main__` for the command line.
"""

import os

# It is the user's data: no tool of the stack reports home. These must stand in the environment
# before dbt and Great Expectations are first imported.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
