-- Every figure in US dollars is its stated value divided by the published rate, to the last digit
-- that is stored; US dollars stay as they are. Sums of months and quarters add parts of several
-- rates,
-- and a balance or total that is computed from dollars may differ by a millionth.
{%- set figures = [
    ("fct_royalty_observations", "value", "value_usd_m", "true"),
    ("fct_royalty_flows", "receipts", "receipts_usd_m", "not stated.is_computed"),
    ("fct_royalty_flows", "payments", "payments_usd_m", "not stated.is_computed"),
    (
        "fct_royalty_flows",
        "balance",
        "balance_usd_m",
        "stated.balance_is_stated and not stated.is_computed",
    ),
] %}
{%- for table, value, dollars, where in figures %}
    select
        stated.source,
        stated.reporter_code,
        stated.period,
        stated.currency,
        '{{ dollars }}' as figure,
        stated.{{ value }} as value,
        stated.{{ dollars }} as value_usd_m,
        rates.units_per_usd
    from {{ ref(table) }} as stated
    left join
        {{ ref("dim_exchange_rate") }} as rates
        on stated.currency = rates.currency
        and stated.period = rates.period
    where
        rates.currency is null
        or {{ where }}
        and (
            (stated.{{ value }} is not null and rates.units_per_usd is not null)
            <> (stated.{{ dollars }} is not null)
            or case
                when stated.currency = 'USD'
                then stated.{{ value }}
                else {{ money("stated." ~ value ~ " / rates.units_per_usd") }}
            end
            <> stated.{{ dollars }}
        )
        {{ "union all" if not loop.last }}
{%- endfor %}
