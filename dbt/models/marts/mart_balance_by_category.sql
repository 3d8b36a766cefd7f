{{ balance_mart("category") }}
