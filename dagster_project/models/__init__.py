"""The dbt models as Dagster assets, one multi-asset a layer, run in this process."""
