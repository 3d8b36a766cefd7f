{{ additive_flows("category", "S", "flows_by_country_half_yearly") }}
