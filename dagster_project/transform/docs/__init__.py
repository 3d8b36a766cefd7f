"""The data dictionary and column lineage, written from the dbt project."""
