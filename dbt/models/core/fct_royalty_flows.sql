{{ config(post_hook=["{{ create_royalty_flows_as_of() }}"]) }}

{{ royalty_flows(ref("fct_royalty_observations"), ref("dim_source")) }}
order by reporter_code, period, source
