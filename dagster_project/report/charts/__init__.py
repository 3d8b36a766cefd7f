"""Charts of the report and of the Dagster UI."""
