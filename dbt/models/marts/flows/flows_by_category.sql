{{ additive_flows("category", "A", "flows_by_country") }}
