-- Where no balance is stated, it is receipts minus payments. It is unknown if either is unknown, or
-- if texts of several days state them.
{{ config(meta={"dagster": {"ref": {"name": "fct_royalty_flows"}}}) }}
{%- set key = ["source"] + key_columns() %}
with
    keys_of_several_texts as (
        select {{ column_list(key, "observations") }}
        from {{ ref("fct_royalty_observations") }} as observations
        inner join
            {{ ref("dim_source") }} as sources
            on observations.source = sources.source
            and sources.releases_are = 'additive'
        where observations.statement_number = 1 and observations.flow in ('receipts', 'payments')
        group by {{ column_list(key, "observations") }}
        having min(observations.release_date) < max(observations.release_date)
    )

select {{ column_list(key, "flows") }}, flows.receipts, flows.payments, flows.balance
from {{ ref("fct_royalty_flows") }} as flows
left join keys_of_several_texts as several on {{ equal_on("flows", "several", key) }}
where
    not flows.balance_is_stated
    and (
        (
            flows.balance is null
            and flows.receipts is not null
            and flows.payments is not null
            and several.source is null
        )
        or (flows.balance is not null and (flows.receipts is null or flows.payments is null))
        or flows.balance <> flows.receipts - flows.payments
    )
