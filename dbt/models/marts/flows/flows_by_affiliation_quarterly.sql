{{ additive_flows("affiliation", "Q", "flows_by_country_quarterly") }}
