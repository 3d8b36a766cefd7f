{{ additive_flows("region", "M", "flows_by_country_monthly") }}
