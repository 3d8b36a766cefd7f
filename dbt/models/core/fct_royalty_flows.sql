{{
    config(
        materialized="incremental",
        meta={
            "partition_by": "source",
            "parts": {"source": "source", "breakdown": breakdown_of(), "frequency": "frequency"},
        },
    )
}}
{{ royalty_flows(in_changed_partitions(ref("fct_royalty_observations")), ref("dim_source")) }}
order by
    reporter_code,
    period,
    source,
    partner_code,
    sector_code,
    category_code,
    affiliation_code,
    region_code,
    concept
