{{ additive_flows("sector", "Q", "flows_by_country_quarterly") }}
