{{ balance_by("affiliation") }} order by reporter_code, period, source, concept, affiliation_code
