"""The royalty-flow warehouse: sources → ingest → models → gates → publication.

The import direction is tested: see docs/architecture.md.
"""
