{{ additive_flows("partner", "S", "flows_by_country_half_yearly") }}
