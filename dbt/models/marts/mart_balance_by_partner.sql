{{ balance_by("partner") }}
