{{ additive_flows("sector", "M", "flows_by_country_monthly") }}
