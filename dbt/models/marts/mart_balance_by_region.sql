{{ balance_by("region") }} order by reporter_code, period, source, concept, region_code
