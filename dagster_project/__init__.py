"""The royalty-flow warehouse: sources → ingest → models → gates → publication.

The import direction is tested: see docs/architecture.md.
"""

from dagster_project.patches.alembic_folder import escape_folder

escape_folder()
