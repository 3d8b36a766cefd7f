{{ balance_mart("affiliation") }}
