{{ additive_flows("sector", "A", "flows_by_country") }}
