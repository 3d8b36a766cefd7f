{{
    config(
        materialized="incremental",
        meta={
            "partition_by": ["source", "release_date"],
            "parts": {"source": "source", "release_date": "release_date"},
        },
    )
}}
{%- set columns = [
    "source",
    "release_date",
    "reporter_code",
    "partner_code",
    "sector_code",
    "category_code",
    "affiliation_code",
    "region_code",
    "concept",
    "period",
    "frequency",
    "flow",
    "value",
    "currency",
    "value_usd_m",
    "rate_is_missing",
    "rounding",
    "comparator",
    "statement_number",
    "obs_status",
    "conf_status",
    "file_name",
    "sheet_name",
    "row_number",
    "column_name",
] -%}
with
    final as (
        select {{ column_list(columns) }} from {{ in_changed_partitions(ref("int_observations")) }}
    )

select {{ column_list(columns) }}
from final
order by
    reporter_code,
    period,
    source,
    release_date,
    partner_code,
    sector_code,
    category_code,
    affiliation_code,
    region_code,
    concept,
    flow,
    currency,
    statement_number
