{{ royalty_flows(ref("fct_royalty_observations"), ref("dim_source")) }}
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
