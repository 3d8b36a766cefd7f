{{ additive_flows("category", "Q", "flows_by_country_quarterly") }}
