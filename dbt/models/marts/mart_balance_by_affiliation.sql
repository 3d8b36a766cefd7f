{{ balance_by("affiliation") }}
