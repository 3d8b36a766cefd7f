{{ balance_by("partner") }} order by reporter_code, period, source, concept, partner_code
