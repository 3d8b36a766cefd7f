{{ balance_mart("partner") }}
