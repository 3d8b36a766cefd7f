{{ additive_flows("partner", "Q", "flows_by_country_quarterly") }}
