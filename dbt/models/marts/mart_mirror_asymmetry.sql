-- One economy's receipts from another, compared with the payments that the other states: one row
-- per pair of sources that state the two sides of one period.
with
    receipts as (
        select
            period,
            frequency,
            concept,
            reporter_code,
            partner_code,
            source,
            status,
            stated_usd_m,
            rounding_usd_m,
            currency_usd_m,
            method_usd_m
        from {{ ref("int_bilateral_sides") }}
        where flow = 'receipts'
    ),

    payments as (
        select
            period,
            concept,
            reporter_code,
            partner_code,
            source,
            status,
            stated_usd_m,
            rounding_usd_m,
            currency_usd_m,
            method_usd_m
        from {{ ref("int_bilateral_sides") }}
        where flow = 'payments'
    ),

    pairs as (
        select
            receipts.period,
            receipts.frequency,
            receipts.concept,
            receipts.reporter_code as receiver_code,
            payments.reporter_code as payer_code,
            receipts.stated_usd_m as receipts_stated_usd_m,
            receipts.source as receipts_source,
            receipts.status as receipts_status,
            payments.stated_usd_m as payments_stated_usd_m,
            payments.source as payments_source,
            payments.status as payments_status,
            {{ money("receipts.stated_usd_m - payments.stated_usd_m") }} as asymmetry_usd_m,
            receipts.rounding_usd_m + payments.rounding_usd_m as rounding_usd_m,
            receipts.currency_usd_m + payments.currency_usd_m as currency_usd_m,
            receipts.method_usd_m + payments.method_usd_m as method_usd_m
        from receipts
        inner join
            payments
            on receipts.reporter_code = payments.partner_code
            and receipts.partner_code = payments.reporter_code
            and {{ equal_on("receipts", "payments", ["concept", "period"]) }}
    ),

    final as (
        select
            period,
            frequency,
            concept,
            receiver_code,
            payer_code,
            receipts_stated_usd_m,
            receipts_source,
            receipts_status,
            payments_stated_usd_m,
            payments_source,
            payments_status,
            asymmetry_usd_m,
            {{
                pct(
                    "200e0 * asymmetry_usd_m / nullif(abs(receipts_stated_usd_m) + abs(payments_stated_usd_m), 0)"
                )
            }}
            as asymmetry_pct,
            case
                when asymmetry_usd_m is not null then {{ money("rounding_usd_m") }}
            end as rounding_usd_m,
            case
                when asymmetry_usd_m is not null then {{ money("currency_usd_m") }}
            end as currency_usd_m,
            case
                when asymmetry_usd_m is not null then {{ money("method_usd_m") }}
            end as method_usd_m,
            case
                when asymmetry_usd_m is not null
                then
                    {{
                        money(
                            "greatest(abs(asymmetry_usd_m) - rounding_usd_m - currency_usd_m - method_usd_m, 0)"
                        )
                    }}
            end as unexplained_usd_m,
            case
                when asymmetry_usd_m is not null
                then 'both stated'
                when receipts_stated_usd_m is null and payments_stated_usd_m is null
                then 'both withheld'
                when receipts_stated_usd_m is null
                then 'receipts withheld'
                else 'payments withheld'
            end as comparison
        from pairs
    )

select
    period,
    frequency,
    concept,
    receiver_code,
    payer_code,
    receipts_stated_usd_m,
    receipts_source,
    receipts_status,
    payments_stated_usd_m,
    payments_source,
    payments_status,
    asymmetry_usd_m,
    asymmetry_pct,
    rounding_usd_m,
    currency_usd_m,
    method_usd_m,
    unexplained_usd_m,
    comparison
from final
order by receiver_code, payer_code, period, concept, receipts_source, payments_source
