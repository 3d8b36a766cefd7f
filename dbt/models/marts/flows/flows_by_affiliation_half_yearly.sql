{{ additive_flows("affiliation", "S", "flows_by_country_half_yearly") }}
