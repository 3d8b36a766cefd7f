{{ additive_flows("affiliation", "M", "flows_by_country_monthly") }}
