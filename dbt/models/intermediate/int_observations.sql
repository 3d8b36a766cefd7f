-- Every number that any source states, in millions of the stated currency and of US
-- dollars.
{%- set columns = (
    ["source", "release_date"]
    + key_columns()
    + [
        "flow",
        "value",
        "currency",
        "rounding",
        "comparator",
        "obs_status",
        "conf_status",
        "file_name",
        "sheet_name",
        "row_number",
        "column_name",
    ]
) %}
with
    converted as (
        select
            {{ listed(columns, "observations") }},
            case
                when observations.currency = 'USD'
                then observations.value
                else {{ money("observations.value / rates.units_per_usd") }}
            end as value_usd_m,
            observations.currency <> 'USD' and rates.units_per_usd is null as rate_is_missing
        from {{ ref("int_united_observations") }} as observations
        left join
            {{ ref("int_exchange_rates") }} as rates
            on observations.currency = rates.currency
            and observations.period = rates.period
    ),

    -- A text may state one number twice, once rounder: the most exact statement is
    -- number 1.
    final as (
        select
            {{ listed(columns) }},
            value_usd_m,
            rate_is_missing,
            cast(
                row_number() over (
                    partition by source, release_date, {{ listed(key_columns()) }}, flow, currency
                    order by
                        case when value is null then 1 else 0 end,
                        rounding,
                        file_name,
                        row_number,
                        column_name
                ) as int
            ) as statement_number
        from converted
    )

select {{ listed(columns) }}, value_usd_m, rate_is_missing, statement_number
from final
