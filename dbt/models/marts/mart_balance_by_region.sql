{{ balance_by("region") }}
