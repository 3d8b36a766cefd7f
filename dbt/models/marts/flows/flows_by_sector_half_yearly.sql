{{ additive_flows("sector", "S", "flows_by_country_half_yearly") }}
