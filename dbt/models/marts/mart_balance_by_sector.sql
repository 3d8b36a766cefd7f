{{ balance_by("sector") }}
