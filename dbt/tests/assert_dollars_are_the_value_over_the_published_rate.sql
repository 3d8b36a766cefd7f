-- Every figure in US dollars is its stated value divided by the published rate, to the last digit
-- that is stored; US dollars stay as they are. A sum of months or quarters adds parts of several
-- rates, and a balance that is not stated is the difference of two figures in dollars.
{%- set figures = {
    "fct_royalty_observations": [("value", "true")],
    "fct_royalty_flows": [
        ("receipts", "not stated.is_computed"),
        ("payments", "not stated.is_computed"),
        ("balance", "not stated.is_computed and stated.balance_is_stated"),
    ],
} %}
{%- for table, values in figures.items() %}
    select stated.source, stated.reporter_code, stated.period, stated.currency, rates.units_per_usd
    from {{ ref(table) }} as stated
    left join
        {{ ref("dim_exchange_rate") }} as rates
        on stated.currency = rates.currency
        and stated.period = rates.period
    where
        rates.currency is null
        {%- for value, where in values %}
            or {{ where }}
            and (
                (stated.{{ value }} is not null and rates.units_per_usd is not null)
                <> (stated.{{ value }}_usd_m is not null)
                or case
                    when stated.currency = 'USD'
                    then stated.{{ value }}
                    else {{ money("stated." ~ value ~ " / rates.units_per_usd") }}
                end
                <> stated.{{ value }}_usd_m
            )
        {%- endfor %}
        {{ "union all" if not loop.last }}
{%- endfor %}
