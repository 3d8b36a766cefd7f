{#- The mart of one dimension: its members among int_flows_by_member. Of the other sources, a row depends on the choice
    between them alone. -#}
{% macro balance_by(dimension) -%}
    {{-
        config(
            materialized="incremental",
            meta={
                "partition_by": "source",
                "reads": {"breakdown": ["total", dimension], "dimension": [dimension]},
            },
        )
    -}}
    select
        reporter_code,
        reporter_kind,
        member_code as {{ dimension }}_code,
        member_name as {{ dimension }}_name,
        member_kind,
        period,
        frequency,
        source,
        release_date,
        concept,
        preferred,
        receipts_usd_m,
        payments_usd_m,
        balance_usd_m,
        currency,
        receipts,
        payments,
        balance,
        receipts_status,
        payments_status,
        balance_status,
        receipts_comparator,
        payments_comparator,
        balance_comparator,
        share_of_receipts_pct,
        share_of_payments_pct,
        share_of_balance_pct,
        rank_by_receipts,
        receipts_ranked_among,
        rank_by_payments,
        payments_ranked_among,
        receipts_growth_pct,
        payments_growth_pct,
        receipts_growth_stated_pct,
        payments_growth_stated_pct,
        balance_change_usd_m,
        reporters_counted_receipts,
        reporters_counted_payments,
        previous_is_derived,
        is_computed
    from {{ in_changed_partitions(ref("int_flows_by_member")) }}
    where dimension = '{{ dimension }}'
{%- endmacro %}
