-- What an aggregate is made of: how many of its members report, how much the largest carry, and how
-- the same reporters grew. An aggregate is the sum of whoever reports: where a member is blank, the
-- stated total falls although no one paid less.
{{ config(meta={"reads": {"breakdown": ["total"]}, "parts": {"source": "source"}}) }}
{%- set grain = ["source", "release_date", "concept", "aggregate_code", "period"] %}
{%- set flows = ["receipts", "payments"] %}
{%- set largest = {"receipts": "receiver", "payments": "payer"} %}
with
    totals as (
        select
            flows.source,
            flows.release_date,
            flows.concept,
            flows.reporter_code,
            reporters.reporter_name,
            reporters.kind,
            flows.period,
            flows.frequency,
            periods.year_before,
            {{ flows_as_money("flows") }}
        from {{ ref("fct_royalty_flows") }} as flows
        inner join
            {{ ref("dim_reporter") }} as reporters on flows.reporter_code = reporters.reporter_code
        inner join {{ ref("dim_period") }} as periods on flows.period = periods.period
        where {{ at_total("flows") }}
    ),

    aggregates as (
        select
            source,
            release_date,
            concept,
            reporter_code as aggregate_code,
            reporter_name as aggregate_name,
            period,
            frequency,
            year_before,
            receipts_usd_m,
            payments_usd_m,
            balance_usd_m
        from totals
        where kind = 'aggregate'
    ),

    memberships as (
        select
            source,
            release_date,
            aggregate_code,
            count(*) as members,
            max(ground) as membership_ground
        from {{ ref("dim_aggregate_member") }}
        group by source, release_date, aggregate_code
    ),

    -- Every period in which a member reports, also one in which the aggregate is not stated.
    members as (
        select
            listed.source,
            listed.release_date,
            totals.concept,
            listed.aggregate_code,
            totals.period,
            listed.member_code,
            totals.receipts_usd_m,
            totals.payments_usd_m,
            previous.receipts_usd_m as previous_receipts_usd_m,
            previous.payments_usd_m as previous_payments_usd_m
        from {{ ref("dim_aggregate_member") }} as listed
        inner join
            totals
            on listed.source = totals.source
            and listed.release_date = totals.release_date
            and listed.member_code = totals.reporter_code
        left join
            totals as previous
            on {{
                equal_on(
                    "totals", "previous", ["source", "release_date", "concept", "reporter_code"]
                )
            }}
            and totals.year_before = previous.period
    ),

    ranked_members as (
        select
            {{ column_list(grain) }},
            member_code,
            {%- for flow in flows %}
                {{ flow }}_usd_m,
                case
                    when {{ flow }}_usd_m is not null then previous_{{ flow }}_usd_m
                end as compared_previous_{{ flow }}_usd_m,
                case
                    when previous_{{ flow }}_usd_m is not null then {{ flow }}_usd_m
                end as compared_{{ flow }}_usd_m,
                row_number() over (
                    partition by {{ column_list(grain) }}
                    order by {{ flow }}_usd_m desc nulls last, member_code
                ) as place_by_{{ flow }},
            {%- endfor %}
            receipts_usd_m - payments_usd_m as balance_usd_m,
            receipts_usd_m
            - payments_usd_m
            - previous_receipts_usd_m
            + previous_payments_usd_m as balance_change_usd_m
        from members
    ),

    sums_of_members as (
        select
            {{ column_list(grain) }},
            {%- for flow in flows %}
                count({{ flow }}_usd_m) as reporters_counted_{{ flow }},
                count(compared_{{ flow }}_usd_m) as reporters_compared_{{ flow }},
                {{ money("sum(" ~ flow ~ "_usd_m)") }} as members_{{ flow }}_usd_m,
                sum(compared_{{ flow }}_usd_m) as compared_{{ flow }}_usd_m,
                sum(compared_previous_{{ flow }}_usd_m) as compared_previous_{{ flow }}_usd_m,
                max(
                    case
                        when place_by_{{ flow }} = 1 and {{ flow }}_usd_m is not null
                        then member_code
                    end
                ) as largest_{{ largest[flow] }}_code,
                max(
                    case when place_by_{{ flow }} = 1 then {{ flow }}_usd_m end
                ) as largest_{{ flow }}_usd_m,
                sum(
                    case when place_by_{{ flow }} <= 3 then {{ flow }}_usd_m end
                ) as largest_three_{{ flow }}_usd_m,
                -- With a negative member, the largest may have more than all together.
                case
                    when min({{ flow }}_usd_m) >= 0 then {{ money("sum(" ~ flow ~ "_usd_m)") }}
                end as divided_{{ flow }}_usd_m,
            {%- endfor %}
            count(balance_usd_m) as reporters_counted_balance,
            {{ money("sum(balance_usd_m)") }} as members_balance_usd_m,
            {{ money("sum(balance_change_usd_m)") }} as balance_change_usd_m
        from ranked_members
        group by {{ column_list(grain) }}
    ),

    with_year_before as (
        select
            {{ column_list(grain, "aggregates") }},
            aggregates.aggregate_name,
            aggregates.frequency,
            memberships.members,
            memberships.membership_ground,
            {%- for flow in flows %}
                aggregates.{{ flow }}_usd_m,
                previous.{{ flow }}_usd_m as previous_{{ flow }}_usd_m,
                -- A known member that does not report is a zero, an unknown membership is not.
                case
                    when memberships.members is not null
                    then coalesce(sums.reporters_counted_{{ flow }}, 0)
                end as reporters_counted_{{ flow }},
                case
                    when memberships.members is not null
                    then coalesce(sums.reporters_compared_{{ flow }}, 0)
                end as reporters_compared_{{ flow }},
                coalesce(
                    previous_sums.reporters_counted_{{ flow }}, 0
                ) as previous_reporters_{{ flow }},
                sums.members_{{ flow }}_usd_m,
                previous_sums.members_{{ flow }}_usd_m as previous_members_{{ flow }}_usd_m,
                sums.compared_{{ flow }}_usd_m,
                sums.compared_previous_{{ flow }}_usd_m,
                sums.largest_{{ largest[flow] }}_code,
                sums.largest_{{ flow }}_usd_m,
                sums.largest_three_{{ flow }}_usd_m,
                sums.divided_{{ flow }}_usd_m,
            {%- endfor %}
            aggregates.balance_usd_m,
            case
                when memberships.members is not null
                then coalesce(sums.reporters_counted_balance, 0)
            end as reporters_counted_balance,
            sums.members_balance_usd_m,
            sums.balance_change_usd_m
        from aggregates
        left join
            memberships
            on {{
                equal_on(
                    "aggregates", "memberships", ["source", "release_date", "aggregate_code"]
                )
            }}
        left join sums_of_members as sums on {{ equal_on("aggregates", "sums", grain) }}
        left join
            aggregates as previous
            on {{
                equal_on(
                    "aggregates",
                    "previous",
                    ["source", "release_date", "concept", "aggregate_code"],
                )
            }}
            and aggregates.year_before = previous.period
        left join
            sums_of_members as previous_sums
            on {{
                equal_on(
                    "aggregates",
                    "previous_sums",
                    ["source", "release_date", "concept", "aggregate_code"],
                )
            }}
            and aggregates.year_before = previous_sums.period
    ),

    final as (
        select
            {{ column_list(grain) }},
            aggregate_name,
            frequency,
            receipts_usd_m,
            payments_usd_m,
            balance_usd_m,
            members,
            membership_ground,
            reporters_counted_balance,
            members_balance_usd_m as balance_of_complete_reporters_usd_m,
            {%- for flow in flows %}
                reporters_counted_{{ flow }},
                reporters_compared_{{ flow }},
                members_{{ flow }}_usd_m,
                {{ money(flow ~ "_usd_m - members_" ~ flow ~ "_usd_m") }}
                as {{ flow }}_not_of_members_usd_m,
                largest_{{ largest[flow] }}_code,
                {{ share_pct("largest_" ~ flow ~ "_usd_m", "divided_" ~ flow ~ "_usd_m") }}
                as largest_share_of_{{ flow }}_pct,
                {{ share_pct("largest_three_" ~ flow ~ "_usd_m", "divided_" ~ flow ~ "_usd_m") }}
                as largest_three_share_of_{{ flow }}_pct,
                {{
                    share_pct(
                        "(previous_members_"
                        ~ flow
                        ~ "_usd_m - coalesce(compared_previous_"
                        ~ flow
                        ~ "_usd_m, 0))",
                        "previous_members_" ~ flow ~ "_usd_m",
                    )
                }} as missing_share_of_{{ flow }}_pct,
                {{ growth_pct(flow ~ "_usd_m", "previous_" ~ flow ~ "_usd_m") }}
                as published_{{ flow }}_growth_pct,
                {{
                    growth_pct(
                        "compared_" ~ flow ~ "_usd_m", "compared_previous_" ~ flow ~ "_usd_m"
                    )
                }} as {{ flow }}_growth_pct,
                case
                    when members is not null and previous_{{ flow }}_usd_m is not null
                    then
                        reporters_compared_{{ flow }} = reporters_counted_{{ flow }}
                        and reporters_compared_{{ flow }} = previous_reporters_{{ flow }}
                end as has_same_reporters_{{ flow }},
            {%- endfor %}
            balance_change_usd_m,
            members is not null as has_known_members
        from with_year_before
    )

select
    source,
    release_date,
    concept,
    aggregate_code,
    aggregate_name,
    period,
    frequency,
    receipts_usd_m,
    payments_usd_m,
    balance_usd_m,
    has_known_members,
    membership_ground,
    members,
    reporters_counted_receipts,
    reporters_counted_payments,
    reporters_counted_balance,
    members_receipts_usd_m,
    members_payments_usd_m,
    receipts_not_of_members_usd_m,
    payments_not_of_members_usd_m,
    largest_receiver_code,
    largest_share_of_receipts_pct,
    largest_three_share_of_receipts_pct,
    largest_payer_code,
    largest_share_of_payments_pct,
    largest_three_share_of_payments_pct,
    missing_share_of_receipts_pct,
    missing_share_of_payments_pct,
    reporters_compared_receipts,
    reporters_compared_payments,
    has_same_reporters_receipts,
    has_same_reporters_payments,
    published_receipts_growth_pct,
    published_payments_growth_pct,
    receipts_growth_pct,
    payments_growth_pct,
    balance_of_complete_reporters_usd_m,
    balance_change_usd_m
from final
order by source, concept, aggregate_code, period
