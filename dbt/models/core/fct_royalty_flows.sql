{{ royalty_flows(ref("fct_royalty_observations"), ref("dim_source")) }}
order by reporter_code, period, source
