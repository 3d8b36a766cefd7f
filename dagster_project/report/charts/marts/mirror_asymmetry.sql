/*
title: One flow as two sides state it
about:
  - >-
    {concept_name}. Receipts as the receiver states them, payments as the payer does: the pairs that
    are furthest apart.
  - "Sources: in brackets, the receiver's and the payer's."
options: {flows: [receipts, payments], width: 300}
*/
with
    pairs as (
        select
            concept,
            frequency,
            receiver_code,
            payer_code,
            receipts_source,
            payments_source,
            sum(abs(asymmetry_usd_m)) as distance
        from marts.mart_mirror_asymmetry
        group by all
        having distance > 0
    ),
    main as (
        select concept, frequency
        from pairs
        group by all
        order by count(*) desc, concept, frequency
        limit 1
    ),
    largest as (
        select *
        from pairs
        semi join main using (concept, frequency)
        order by distance desc, receiver_code, payer_code, receipts_source, payments_source
        limit 6
    )
select
    receivers.reporter_name
    || ' from '
    || payers.reporter_name
    || ' ('
    || receipts_source
    || ' / '
    || payments_source
    || ')' as member,
    period,
    receipts_stated_usd_m as receipts_usd_m,
    payments_stated_usd_m as payments_usd_m,
    concept_name
from marts.mart_mirror_asymmetry
inner join core.dim_concept using (concept)
inner join
    largest using (concept, frequency, receiver_code, payer_code, receipts_source, payments_source)
inner join core.dim_reporter as receivers on receiver_code = receivers.reporter_code
inner join core.dim_reporter as payers on payer_code = payers.reporter_code
order by distance desc, member, receipts_source, payments_source, period
