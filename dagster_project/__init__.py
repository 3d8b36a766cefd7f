"""The royalty-flow warehouse: sources → ingest → models → gates → publication.

Each sub-package depends only on those before it; `fetching` depends on sources alone. `definitions`
joins them for Dagster, `run` and `__main__` for the command line.
"""
