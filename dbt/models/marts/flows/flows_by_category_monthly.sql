{{ additive_flows("category", "M", "flows_by_country_monthly") }}
