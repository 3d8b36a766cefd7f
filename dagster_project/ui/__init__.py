"""The Dagster UI behind a guard against other web pages."""
