{{ additive_flows("region", "A", "flows_by_country") }}
