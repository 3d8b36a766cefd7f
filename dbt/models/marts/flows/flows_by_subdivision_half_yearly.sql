{{ additive_flows("region", "S", "flows_by_country_half_yearly") }}
