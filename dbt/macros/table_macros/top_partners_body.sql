{% macro top_partners_body() -%}
    with
        ranked as (
            select
                partners.source,
                case
                    flow
                    when 'receipts'
                    then partners.rank_by_receipts
                    when 'payments'
                    then partners.rank_by_payments
                    else error('flow must be receipts or payments')
                end as place,
                partners.partner_code,
                partners.partner_name,
                partners.receipts_usd_m,
                partners.payments_usd_m,
                partners.balance_usd_m,
                partners.share_of_receipts_pct,
                partners.share_of_payments_pct
            from marts.mart_balance_by_partner as partners
            where
                partners.reporter_code = reporter
                and partners.period = of_period
                and partners.concept = of_concept
        ),

        -- Ranks of different sources must not mix.
        sources_by_size as (
            select ranked.source
            from ranked
            inner join core.dim_source as sources on ranked.source = sources.source
            where ranked.place is not null
            group by ranked.source
            order by count(*) desc, min(sources.precedence)
            limit 1
        )

    select
        ranked.place,
        ranked.partner_code,
        ranked.partner_name,
        ranked.receipts_usd_m,
        ranked.payments_usd_m,
        ranked.balance_usd_m,
        ranked.share_of_receipts_pct,
        ranked.share_of_payments_pct,
        ranked.source
    from ranked
    inner join sources_by_size on ranked.source = sources_by_size.source
    where ranked.place <= n
    order by ranked.place, ranked.partner_code
{%- endmacro %}
