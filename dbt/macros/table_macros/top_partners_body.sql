{% macro top_partners_body() -%}
    {%- set columns = [
        "partner_code",
        "partner_name",
        "member_kind",
        "receipts_usd_m",
        "payments_usd_m",
        "balance_usd_m",
        "share_of_receipts_pct",
        "share_of_payments_pct",
        "withheld_receipts",
        "withheld_payments",
        "receipts_status",
        "payments_status",
        "receipts_comparator",
        "payments_comparator",
        "source",
        "release_date",
    ] -%}
    {%- set columns_of_flow = {
        "amount": "_usd_m",
        "withheld": "withheld_",
        "place": "rank_by_",
        "ranked_among": "_ranked_among",
    } -%}
    with
        partners as (
            {%- for code, suffix in table_frequencies().items() %}
                select
                    '{{ code }}' as of_frequency,
                    reporter_code,
                    period,
                    {%- for name, part in columns_of_flow.items() %}
                        {%- set of = [part, ""] if part.endswith("_") else ["", part] %}
                        case
                            flow
                            when 'receipts'
                            then {{ of | join("receipts") }}
                            when 'payments'
                            then {{ of | join("payments") }}
                            else error('flow must be receipts or payments')
                        end as {{ name }},
                    {%- endfor %}
                    {{ columns | join(", ") }}
                from marts.flows_by_partner{{ suffix }} {{ "union all" if not loop.last }}
            {%- endfor %}
        ),

        -- By amount: a place is not known where a withheld partner could be above.
        sorted as (
            select *, rank() over (partition by member_kind order by amount desc) as line
            from partners
            where
                reporter_code = reporter
                and period = of_period
                and of_frequency = case
                    when {{ period_frequency("of_period") }} = {{ table_frequency("frequency") }}
                    then frequency
                    else error('of_period has another frequency: name it (frequency := ''S'')')
                end
                and case
                    when of_concept = 'BPM6_SH'
                    then true
                    else
                        error(
                            'of_concept must be BPM6_SH: marts.mart_balance_by_partner has others'
                        )
                end
                and (member_kind = 'unallocated' or member_kind = 'member' and amount is not null)
        )

    select place, ranked_among, {{ columns | join(", ") }}
    from sorted
    where line <= n and (member_kind = 'member' or amount is null or amount <> 0 or withheld > 0)
    order by amount desc nulls first, partner_code
{%- endmacro %}
