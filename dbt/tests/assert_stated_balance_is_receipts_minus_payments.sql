-- Within one release, a stated balance and the receipts and payments stated beside it
-- agree as far as their rounding allows.
select source, release_date, {{ listed(key_columns()) }}, currency, receipts, payments, balance
from {{ ref("int_flows_by_release") }}
where
    balance_is_stated
    and abs(receipts - payments - balance)
    > {{
        tolerance(
            "receipts_rounding + payments_rounding + balance_rounding",
            "abs(receipts) + abs(payments) + abs(balance)",
            3,
        )
    }}
