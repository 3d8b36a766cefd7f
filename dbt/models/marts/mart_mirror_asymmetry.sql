-- One economy's receipts from another, compared with the payments that the other states: one row
-- per pair of sources that state the two sides of one period. The asymmetry is the exact sum of its
-- components; each has a sign. Vintage and method are differences between figures. Rounding and
-- exchange rate only bound what they may explain: each takes as much of the gap that is left as its
-- range allows, so the unexplained rest is the least that is consistent with both.
{{ config(meta={"reads": {"breakdown": ["total", "partner"]}}) }}
{%- set carried = [
    "concept",
    "period",
    "reporter_code",
    "partner_code",
    "source",
    "release_date",
    "currency",
    "status",
    "stated_usd_m",
    "vintage_usd_m",
    "method_usd_m",
    "rounding_range_usd_m",
    "currency_range_usd_m",
] %}
{%- set pair = [
    "period",
    "frequency",
    "concept",
    "receiver_code",
    "payer_code",
    "receipts_stated_usd_m",
    "receipts_source",
    "receipts_release_date",
    "receipts_status",
    "payments_stated_usd_m",
    "payments_source",
    "payments_release_date",
    "payments_status",
    "asymmetry_usd_m",
    "vintage_usd_m",
    "method_usd_m",
    "rounding_range_usd_m",
    "currency_range_usd_m",
] %}
with
    receipts as (
        select frequency, {{ column_list(carried) }}
        from {{ ref("int_bilateral_sides") }}
        where flow = 'receipts'
    ),

    payments as (
        select {{ column_list(carried) }}
        from {{ ref("int_bilateral_sides") }}
        where flow = 'payments'
    ),

    -- Figures in one currency are converted at one rate: it moves them together, and their
    -- difference by that much less.
    pairs as (
        select
            receipts.period,
            receipts.frequency,
            receipts.concept,
            receipts.reporter_code as receiver_code,
            payments.reporter_code as payer_code,
            receipts.stated_usd_m as receipts_stated_usd_m,
            receipts.source as receipts_source,
            receipts.release_date as receipts_release_date,
            receipts.status as receipts_status,
            payments.stated_usd_m as payments_stated_usd_m,
            payments.source as payments_source,
            payments.release_date as payments_release_date,
            payments.status as payments_status,
            {{ money("receipts.stated_usd_m - payments.stated_usd_m") }} as asymmetry_usd_m,
            {{ money("payments.vintage_usd_m - receipts.vintage_usd_m") }} as vintage_usd_m,
            {{ money("payments.method_usd_m - receipts.method_usd_m") }} as method_usd_m,
            {{ money("receipts.rounding_range_usd_m + payments.rounding_range_usd_m") }}
            as rounding_range_usd_m,
            {{
                money(
                    "case when receipts.currency = payments.currency"
                    ~ " then abs(receipts.currency_range_usd_m - payments.currency_range_usd_m)"
                    ~ " else abs(receipts.currency_range_usd_m) + abs(payments.currency_range_usd_m) end"
                )
            }}
            as currency_range_usd_m
        from receipts
        inner join
            payments
            on receipts.reporter_code = payments.partner_code
            and receipts.partner_code = payments.reporter_code
            and {{ equal_on("receipts", "payments", ["concept", "period"]) }}
    ),

    -- What vintage and method leave of the asymmetry, as a size and a sign.
    gaps as (
        select
            {{ column_list(pair) }},
            abs(asymmetry_usd_m - vintage_usd_m - method_usd_m) as gap_usd_m,
            case
                when asymmetry_usd_m - vintage_usd_m - method_usd_m < 0
                then -1
                when asymmetry_usd_m is not null
                then 1
            end as direction
        from pairs
    ),

    components as (
        select
            {{ column_list(pair) }},
            gap_usd_m,
            direction * least(gap_usd_m, rounding_range_usd_m) as rounding_usd_m,
            direction * least(
                gap_usd_m - least(gap_usd_m, rounding_range_usd_m),
                coalesce(currency_range_usd_m, 0)
            ) as currency_usd_m
        from gaps
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
            receipts_release_date,
            receipts_status,
            payments_stated_usd_m,
            payments_source,
            payments_release_date,
            payments_status,
            asymmetry_usd_m,
            {{
                pct(
                    "200e0 * asymmetry_usd_m / nullif(abs(receipts_stated_usd_m) + abs(payments_stated_usd_m), 0)"
                )
            }}
            as asymmetry_pct,
            vintage_usd_m,
            method_usd_m,
            {{ money("rounding_usd_m") }} as rounding_usd_m,
            {{ money("currency_usd_m") }} as currency_usd_m,
            {{
                money(
                    "asymmetry_usd_m - vintage_usd_m - method_usd_m - rounding_usd_m - currency_usd_m"
                )
            }}
            as unexplained_usd_m,
            rounding_range_usd_m,
            currency_range_usd_m,
            gap_usd_m
            <= rounding_range_usd_m + coalesce(currency_range_usd_m, 0) as is_within_uncertainty,
            case
                when asymmetry_usd_m is not null
                then 'both stated'
                when receipts_stated_usd_m is null and payments_stated_usd_m is null
                then 'both withheld'
                when receipts_stated_usd_m is null
                then 'receipts withheld'
                else 'payments withheld'
            end as comparison
        from components
    )

select
    period,
    frequency,
    concept,
    receiver_code,
    payer_code,
    receipts_stated_usd_m,
    receipts_source,
    receipts_release_date,
    receipts_status,
    payments_stated_usd_m,
    payments_source,
    payments_release_date,
    payments_status,
    asymmetry_usd_m,
    asymmetry_pct,
    vintage_usd_m,
    method_usd_m,
    rounding_usd_m,
    currency_usd_m,
    unexplained_usd_m,
    rounding_range_usd_m,
    currency_range_usd_m,
    is_within_uncertainty,
    comparison
from final
order by receiver_code, payer_code, period, concept, receipts_source, payments_source
