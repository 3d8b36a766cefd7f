-- What each release says on every measure that a published claim can be about.
-- Everything is computed from levels;
-- a stated share or growth is only ever an input to another measure, never its own
-- answer.
-- Money is in millions of `unit`; shares and growth in percent. `half_width`: see
-- int_levels_by_release.
{%- set release_key = ["source", "release_date"] + key_columns() %}
{%- set series = release_key | reject("equalto", "period") | list %}
{%- set row = release_key + [
    "measure",
    "unit",
    "method",
    "is_stated",
    "found_value",
    "half_width",
] %}
{%- set measures = ["receipts", "payments", "balance", "total_trade"] %}
with
    levels as (
        select
            {{ column_list(release_key) }},
            currency,
            measure,
            method,
            found_value,
            half_width,
            is_stated,
            is_narrowest
        from {{ ref("int_levels_by_release") }}
    ),

    -- One row a key: the narrowest range known for each of the four levels.
    best as (
        select
            {{ column_list(release_key) }},
            currency,
            {{ period_year_before("period") }} as year_before,
            {%- for measure in measures %}
                max(case when measure = '{{ measure }}' then found_value end) as {{ measure }},
                max(case when measure = '{{ measure }}' then half_width end) as {{ measure }}_half
                {{- "," if not loop.last }}
            {%- endfor %}
        from levels
        where is_narrowest
        group by {{ column_list(release_key) }}, currency
    ),

    -- Levels in the currencies that claims are in. A converted level is uncertain by
    -- the deviation of the rate.
    claim_currencies as (
        select distinct unit as currency
        from {{ ref("published_claims") }}
        where unit not in ('percent', 'rank', 'year', 'sign')
    ),

    converted_levels as (
        select
            {{ column_list(release_key, "levels") }},
            levels.measure,
            claim_currencies.currency as unit,
            levels.method || ', converted from ' || levels.currency as method,
            levels.is_stated,
            levels.found_value * to_rates.units_per_usd / from_rates.units_per_usd as found_value,
            (
                levels.half_width
                + abs(levels.found_value)
                * (to_rates.relative_deviation + from_rates.relative_deviation)
            )
            * to_rates.units_per_usd
            / from_rates.units_per_usd as half_width
        from levels
        inner join claim_currencies on levels.currency <> claim_currencies.currency
        inner join
            {{ ref("int_exchange_rates") }} as from_rates
            on levels.currency = from_rates.currency
            and levels.period = from_rates.period
        inner join
            {{ ref("int_exchange_rates") }} as to_rates
            on claim_currencies.currency = to_rates.currency
            and levels.period = to_rates.period
        -- An annual average alone does not say how far off it may be.
        where to_rates.relative_deviation is not null and from_rates.relative_deviation is not null
    ),

    -- A part and its whole. With a partner, the whole is the world in the same other
    -- dimensions; otherwise exactly
    -- one dimension is broken down, and the whole is the total of all.
    parts_and_wholes as (
        select
            {{ column_list(release_key, "parts") }},
            {%- for measure in measures %}
                parts.{{ measure }} as part_{{ measure }},
                parts.{{ measure }}_half as part_{{ measure }}_half,
                wholes.{{ measure }} as whole_{{ measure }},
                wholes.{{ measure }}_half as whole_{{ measure }}_half
                {{- "," if not loop.last }}
            {%- endfor %}
        from best as parts
        inner join
            best as wholes
            on {{ part_of_whole("parts", "wholes") }}
            and parts.currency = wholes.currency
    ),

    computed_shares as (
        {%- for measure in ["receipts", "payments", "balance"] %}
            select
                {{ column_list(release_key) }},
                '{{ measure }}_share_pct' as measure,
                'part / total' as method,
                100 * part_{{ measure }} / whole_{{ measure }} as found_value,
                100
                * {{
                    quotient_half_width(
                        "part_" ~ measure,
                        "part_" ~ measure ~ "_half",
                        "whole_" ~ measure,
                        "whole_" ~ measure ~ "_half",
                    )
                }} as half_width
            from parts_and_wholes
            where
                part_{{ measure }} is not null
                and abs(whole_{{ measure }}) > whole_{{ measure }}_half
                {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    stated_shares as (
        select
            {{ column_list(release_key) }},
            case when flow = 'total' then 'total_trade' else flow end as measure,
            cast(value as double) / 100 as share,
            cast(rounding as double) / 200 as share_half
        from {{ ref("int_stated_rates") }}
        where measure = 'share_pct' and comparator = '='
    ),

    levels_from_shares as (
        select
            {{ column_list(release_key, "stated_shares") }},
            stated_shares.measure,
            wholes.currency as unit,
            'share x total' as method,
            stated_shares.share * wholes.found_value as found_value,
            (abs(stated_shares.share) + stated_shares.share_half)
            * (abs(wholes.found_value) + wholes.half_width)
            - abs(stated_shares.share * wholes.found_value) as half_width
        from stated_shares
        inner join
            levels as wholes
            on {{ part_of_whole("stated_shares", "wholes") }}
            and stated_shares.measure = wholes.measure
            and wholes.is_narrowest
    ),

    shares_of_trade as (
        select
            {{ column_list(release_key) }},
            'receipts_share_of_trade_pct' as measure,
            'receipts / total' as method,
            100 * receipts / total_trade as found_value,
            100
            * {{
                quotient_half_width(
                    "receipts", "receipts_half", "total_trade", "total_trade_half"
                )
            }} as half_width
        from best
        where receipts is not null and abs(total_trade) > total_trade_half
    ),

    -- The year before by the growth that the same text states: level / (1 + growth /
    -- 100).
    stated_growth as (
        select
            {{ column_list(release_key) }},
            {%- for measure in ["receipts", "payments"] %}
                1
                + cast(max(case when flow = '{{ measure }}' then value end) as double)
                / 100 as {{ measure }}_factor,
                cast(max(case when flow = '{{ measure }}' then rounding end) as double)
                / 200 as {{ measure }}_factor_half
                {{- "," if not loop.last }}
            {%- endfor %}
        from {{ ref("int_stated_rates") }}
        where measure = 'growth_pct' and comparator = '=' and value > -100
        group by {{ column_list(release_key) }}
    ),

    derived_year_before as (
        select
            {{ column_list(release_key, "best") }},
            {%- for measure in measures %}
                best.{{ measure }}, best.{{ measure }}_half,
            {%- endfor %}
            best.currency,
            {%- for measure in ["receipts", "payments"] %}
                best.{{ measure }} / stated_growth.{{ measure }}_factor as previous_{{ measure }},
                {{
                    quotient_half_width(
                        "best." ~ measure,
                        "best." ~ measure ~ "_half",
                        "stated_growth." ~ measure ~ "_factor",
                        "stated_growth." ~ measure ~ "_factor_half",
                    )
                }} as previous_{{ measure }}_half
                {{- "," if not loop.last }}
            {%- endfor %}
        from best
        inner join stated_growth on {{ equal_on("best", "stated_growth", release_key) }}
    ),

    -- This year beside the year before, from two levels of the release or from levels
    -- and stated growth.
    with_year_before as (
        select
            {{ column_list(release_key, "best") }},
            best.currency,
            'levels of two years' as method,
            {%- for measure in measures %}
                best.{{ measure }},
                best.{{ measure }}_half,
                previous.{{ measure }} as previous_{{ measure }},
                previous.{{ measure }}_half as previous_{{ measure }}_half
                {{- "," if not loop.last }}
            {%- endfor %}
        from best
        inner join
            best as previous
            on {{ equal_on("best", "previous", series) }}
            and best.currency = previous.currency
            and best.year_before = previous.period
        union all
        select
            {{ column_list(release_key) }},
            currency,
            'levels and growth of receipts and payments' as method,
            cast(null as double) as receipts,
            cast(null as double) as receipts_half,
            cast(null as double) as previous_receipts,
            cast(null as double) as previous_receipts_half,
            cast(null as double) as payments,
            cast(null as double) as payments_half,
            cast(null as double) as previous_payments,
            cast(null as double) as previous_payments_half,
            balance,
            balance_half,
            previous_receipts - previous_payments as previous_balance,
            previous_receipts_half + previous_payments_half as previous_balance_half,
            total_trade,
            total_trade_half,
            previous_receipts + previous_payments as previous_total_trade,
            previous_receipts_half + previous_payments_half as previous_total_trade_half
        from derived_year_before
    ),

    growth as (
        {%- for measure in ["receipts", "payments", "total_trade"] %}
            select
                {{ column_list(release_key) }},
                '{{ measure }}_growth_pct' as measure,
                method,
                100 * ({{ measure }} / previous_{{ measure }} - 1) as found_value,
                100
                * {{
                    quotient_half_width(
                        measure,
                        measure ~ "_half",
                        "previous_" ~ measure,
                        "previous_" ~ measure ~ "_half",
                    )
                }} as half_width
            from with_year_before
            where
                {{ measure }} is not null and previous_{{ measure }} > previous_{{ measure }}_half
                {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    balance_changes as (
        select
            {{ column_list(release_key) }},
            currency as unit,
            method,
            balance - previous_balance as found_value,
            balance_half + previous_balance_half as half_width
        from with_year_before
        where balance is not null and previous_balance is not null
    ),

    balance_signs as (
        select {{ column_list(release_key) }}, method, sign(found_value) as found_value, is_stated
        from levels
        where measure = 'balance' and abs(found_value) > half_width
    ),

    -- The first year with a surplus, if the year before is known and had none.
    surplus_years as (
        select {{ column_list(series) }}, min(period) as period
        from best
        where frequency = 'A' and balance > balance_half
        group by {{ column_list(series) }}
    ),

    first_surplus_years as (
        select {{ column_list(series, "surplus_years") }}, surplus_years.period
        from surplus_years
        inner join
            best as year_before
            on {{ equal_on("surplus_years", "year_before", series) }}
            and {{ period_year_before("surplus_years.period") }} = year_before.period
        where year_before.balance <= 0
    ),

    -- Ranks need every competitor, so they come from sources that cover the world ...
    claimed_reporters as (select distinct reporter_code from {{ ref("published_claims") }}),

    ranked_flows as (
        select
            {{ column_list(release_key, "flows") }},
            flows.receipts_usd_m,
            flows.payments_usd_m,
            case
                when {{ at_total("flows") }} then 'world' else flows.reporter_code
            end as competition,
            claimed_reporters.reporter_code is not null as is_claimed
        from {{ ref("int_flows_by_release") }} as flows
        inner join
            {{ ref("sources") }} as sources
            on flows.source = sources.source
            and sources.covers_world
        inner join
            {{ ref("int_economies") }} as reporters on flows.reporter_code = reporters.economy_code
        inner join
            {{ ref("int_economies") }} as partners on flows.partner_code = partners.economy_code
        left join claimed_reporters on flows.reporter_code = claimed_reporters.reporter_code
        where
            {{ at_total("flows", but=["partner"]) }}
            and reporters.kind = 'country'
            and (
                flows.partner_code = 'WLD'
                or (partners.kind = 'country' and claimed_reporters.reporter_code is not null)
            )
    ),

    ranks as (
        {%- for flow in ["receipts", "payments"] %}
            select
                {{ column_list(release_key) }},
                is_claimed,
                'rank_by_{{ flow }}' as measure,
                'rank' as method,
                rank() over (
                    partition by source, release_date, concept, period, competition
                    order by {{ flow }}_usd_m desc
                ) as found_value,
                count(*) over (
                    partition by source, release_date, concept, period, competition
                ) as competitors
            from ranked_flows
            where {{ flow }}_usd_m is not null {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    -- ... or from a share above one half, which leaves room for no larger member.
    majority_shares as (
        select {{ column_list(release_key) }}, measure
        from computed_shares
        where
            found_value - half_width > 50
            and measure in ('receipts_share_pct', 'payments_share_pct')
        union
        select {{ column_list(release_key) }}, measure || '_share_pct' as measure
        from stated_shares
        where share - share_half > 0.5 and measure in ('receipts', 'payments')
    ),

    final as (
        select
            {{ column_list(release_key) }},
            measure,
            currency as unit,
            method,
            is_stated,
            found_value,
            half_width
        from levels
        union all
        select {{ column_list(row) }}
        from converted_levels
        union all
        select {{ column_list(release_key) }}, measure, unit, method, false, found_value, half_width
        from levels_from_shares
        {%- for percentages in ["computed_shares", "shares_of_trade", "growth"] %}
            union all
            select
                {{ column_list(release_key) }},
                measure,
                'percent',
                method,
                false,
                found_value,
                half_width
            from {{ percentages }}
        {%- endfor %}
        union all
        select
            {{ column_list(release_key) }},
            'balance_change',
            unit,
            method,
            false,
            found_value,
            half_width
        from balance_changes
        union all
        select
            {{ column_list(release_key) }},
            'balance_sign',
            'sign',
            method,
            is_stated,
            found_value,
            0
        from balance_signs
        union all
        select
            {{ column_list(release_key) }},
            'first_year_in_surplus',
            'year',
            'first balance above zero',
            false,
            cast(period as double),
            0
        from first_surplus_years
        union all
        select
            {{ column_list(release_key) }},
            measure,
            'rank',
            method,
            false,
            cast(found_value as double),
            0
        from ranks
        where is_claimed and competitors >= {{ var("rank_needs_competitors") }}
        union all
        select
            {{ column_list(release_key) }},
            replace('rank_by_' || measure, '_share_pct', ''),
            'rank',
            'share above one half',
            false,
            1,
            0
        from majority_shares
    )

select {{ column_list(row) }}
from final
