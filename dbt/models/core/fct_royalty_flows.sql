{{
    config(
        post_hook=[
            "use {{ this.database }}",
            "{{ create_royalty_flows_as_of() }}",
            "comment on macro table main.royalty_flows_as_of is 'core.fct_royalty_flows as it was known at the end of a day: only releases published up to then count. Attached under an alias? Say USE <alias> first.'",
            "use {{ target.database }}",
        ]
    )
}}

{{ royalty_flows(ref("fct_royalty_observations"), ref("dim_source")) }}
order by reporter_code, period, source
