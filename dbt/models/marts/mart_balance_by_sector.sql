{{ balance_mart("sector") }}
