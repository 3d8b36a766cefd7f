{{ balance_by("category") }} order by reporter_code, period, source, concept, category_code
