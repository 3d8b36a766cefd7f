{{ balance_by("category") }}
