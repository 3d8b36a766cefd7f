-- Where no balance is stated, it is receipts minus payments, and unknown if either is unknown.
select source, {{ column_list(key_columns()) }}, receipts, payments, balance
from {{ ref("fct_royalty_flows") }}
where
    not balance_is_stated
    and (
        (balance is null and receipts is not null and payments is not null)
        or (balance is not null and (receipts is null or payments is null))
        or balance <> receipts - payments
    )
