{{ additive_flows("partner", "M", "flows_by_country_monthly") }}
