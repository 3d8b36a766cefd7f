{{ balance_by("sector") }} order by reporter_code, period, source, concept, sector_code
