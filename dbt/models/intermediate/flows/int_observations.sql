{{ config(materialized="view") }}

-- Every number that any source states, in millions of the stated currency and of US dollars. A view
-- over the tables of the sources; fct_royalty_observations stores the rows.
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
{%- set unmapped = "'_U' in (reporter_code, partner_code, sector_code, category_code, affiliation_code, region_code)" %}
with
    -- A text may state one figure twice, once more roughly or as a bound: the most exact statement
    -- is number 1. A row without a row number comes from a bulk file, where the key identifies the
    -- row. A row with an unmapped code has no known key: two such rows may be about different
    -- things, so they are number 0, kept here but in no flow.
    numbered as (
        select
            {{ column_list(columns) }},
            case
                when {{ unmapped }}
                then 0
                else
                    cast(
                        row_number() over (
                            partition by
                                source,
                                release_date,
                                {{ column_list(key_columns()) }},
                                flow,
                                currency
                            order by
                                case when value is null then 1 else 0 end,
                                {{ exactness("comparator") }},
                                rounding,
                                file_name,
                                row_number,
                                column_name
                        ) as int
                    )
            end as statement_number
        from {{ ref("int_united_observations") }}
        where row_number is not null
        union all
        select
            {{ column_list(columns) }},
            case when {{ unmapped }} then 0 else 1 end as statement_number
        from {{ ref("int_united_observations") }}
        where row_number is null
    ),

    final as (
        select
            {{ column_list(columns, "numbered") }},
            case
                when numbered.currency = 'USD'
                then numbered.value
                else {{ money("numbered.value / rates.units_per_usd") }}
            end as value_usd_m,
            numbered.value is not null
            and numbered.currency <> 'USD'
            and rates.units_per_usd is null as rate_is_missing,
            numbered.statement_number
        from numbered
        left join
            {{ ref("int_exchange_rates") }} as rates
            on numbered.currency = rates.currency
            and numbered.period = rates.period
    )

select {{ column_list(columns) }}, value_usd_m, rate_is_missing, statement_number
from final
