{{ additive_flows("affiliation", "A", "flows_by_country") }}
