"""Running dbt, and what a build depends on."""
