{{ additive_flows("partner", "A", "flows_by_country") }}
