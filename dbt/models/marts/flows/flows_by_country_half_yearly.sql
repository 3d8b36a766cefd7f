{{ additive_flows_by_country("S") }}
