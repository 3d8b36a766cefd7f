{#- Each way to compute a flow from the others, as multiples of the four: a table with the columns measure, method,
    of_receipts, of_payments, of_balance, of_total. -#}
{% macro flow_identities() -%}
    select measure, method, of_receipts, of_payments, of_balance, of_total
    from
        (
            values
                ('receipts', 'as stated', 1e0, 0e0, 0e0, 0e0),
                ('receipts', 'payments + balance', 0e0, 1e0, 1e0, 0e0),
                ('receipts', 'total - payments', 0e0, -1e0, 0e0, 1e0),
                ('receipts', '(total + balance) / 2', 0e0, 0e0, 0.5e0, 0.5e0),
                ('payments', 'as stated', 0e0, 1e0, 0e0, 0e0),
                ('payments', 'receipts - balance', 1e0, 0e0, -1e0, 0e0),
                ('payments', 'total - receipts', -1e0, 0e0, 0e0, 1e0),
                ('payments', '(total - balance) / 2', 0e0, 0e0, -0.5e0, 0.5e0),
                ('balance', 'as stated', 0e0, 0e0, 1e0, 0e0),
                ('balance', 'receipts - payments', 1e0, -1e0, 0e0, 0e0),
                ('balance', '2 x receipts - total', 2e0, 0e0, 0e0, -1e0),
                ('balance', 'total - 2 x payments', 0e0, -2e0, 0e0, 1e0),
                ('total_trade', 'as stated', 0e0, 0e0, 0e0, 1e0),
                ('total_trade', 'receipts + payments', 1e0, 1e0, 0e0, 0e0),
                ('total_trade', '2 x receipts - balance', 2e0, 0e0, -1e0, 0e0),
                ('total_trade', '2 x payments + balance', 0e0, 2e0, 1e0, 0e0)
        ) as listed(measure, method, of_receipts, of_payments, of_balance, of_total)
{%- endmacro %}
