{{ balance_mart("region") }}
