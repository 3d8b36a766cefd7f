"""The data dictionary and column lineage, generated from the dbt project."""
