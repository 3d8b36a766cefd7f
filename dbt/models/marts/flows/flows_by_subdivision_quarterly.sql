{{ additive_flows("region", "Q", "flows_by_country_quarterly") }}
