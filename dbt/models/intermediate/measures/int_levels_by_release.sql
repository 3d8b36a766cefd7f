-- Receipts, payments, balance and total trade of every release, each by every method the release
-- supports: as stated, or by an identity between the other flows. Only for the reporters of the
-- published claims, with the partners that their claims name and with the world. Sums of shorter
-- periods are marked as such and do not count as stated. A stated number is a range, value +-
-- rounding / 2; `half_width` carries that range through the arithmetic.
{%- set key = ["source", "release_date"] + key_columns() %}
{%- set flows = ["receipts", "payments", "balance", "total"] %}
with
    claims as (select distinct reporter_code, partner_code from {{ ref("published_claims") }}),

    claimed_pairs as (
        select distinct flows.reporter_code, flows.partner_code
        from
            (
                select distinct reporter_code, partner_code from {{ ref("int_flows_by_release") }}
            ) as flows
        inner join
            claims
            on flows.reporter_code = claims.reporter_code
            and (
                flows.partner_code = 'WLD'
                or {{ in_list("flows.partner_code", "claims.partner_code") }}
            )
    ),

    stated as (
        select
            {{ column_list(key, "flows") }},
            flows.currency,
            flows.is_computed,
            cast(flows.receipts as double) as receipts,
            cast(flows.payments as double) as payments,
            cast(case when flows.balance_is_stated then flows.balance end as double) as balance,
            cast(case when flows.total_is_stated then flows.total_trade end as double) as total,
            {%- for flow in flows %}
                cast(coalesce(flows.{{ flow }}_rounding, 0) as double)
                / 2 as {{ flow }}_half{{ "," if not loop.last }}
            {%- endfor %}
        from {{ ref("int_flows_by_release") }} as flows
        inner join
            claimed_pairs
            on {{ equal_on("flows", "claimed_pairs", ["reporter_code", "partner_code"]) }}
    ),

    -- Each method for a measure, as multiples of the four stated flows.
    identities as (
        select measure, method, of_receipts, of_payments, of_balance, of_total
        from
            (
                values
                    ('receipts', 'as stated', 1e0, 0e0, 0e0, 0e0),
                    ('receipts', 'payments + balance', 0e0, 1e0, 1e0, 0e0),
                    ('receipts', 'total - payments', 0e0, -1e0, 0e0, 1e0),
                    ('receipts', '(total + balance) / 2', 0e0, 0e0, 0.5e0, 0.5e0),
                    ('payments', 'as stated', 0e0, 1e0, 0e0, 0e0),
                    ('payments', 'receipts - balance', 1e0, 0e0, -1e0, 0e0),
                    ('payments', 'total - receipts', -1e0, 0e0, 0e0, 1e0),
                    ('payments', '(total - balance) / 2', 0e0, 0e0, -0.5e0, 0.5e0),
                    ('balance', 'as stated', 0e0, 0e0, 1e0, 0e0),
                    ('balance', 'receipts - payments', 1e0, -1e0, 0e0, 0e0),
                    ('balance', '2 x receipts - total', 2e0, 0e0, 0e0, -1e0),
                    ('balance', 'total - 2 x payments', 0e0, -2e0, 0e0, 1e0),
                    ('total_trade', 'as stated', 0e0, 0e0, 0e0, 1e0),
                    ('total_trade', 'receipts + payments', 1e0, 1e0, 0e0, 0e0),
                    ('total_trade', '2 x receipts - balance', 2e0, 0e0, -1e0, 0e0),
                    ('total_trade', '2 x payments + balance', 0e0, 2e0, 1e0, 0e0)
            ) as listed(measure, method, of_receipts, of_payments, of_balance, of_total)
    ),

    -- A flow that the identity does not use may be missing; one that it uses may not.
    single_levels as (
        select
            {{ column_list(key, "stated") }},
            stated.currency,
            identities.measure,
            case
                when stated.is_computed and identities.method = 'as stated'
                then 'sum of shorter periods'
                when stated.is_computed
                then identities.method || ', of sums of shorter periods'
                else identities.method
            end as method,
            {%- for flow in flows %}
                case
                    when identities.of_{{ flow }} = 0
                    then 0e0
                    else identities.of_{{ flow }} * stated.{{ flow }}
                end
                {{ "+" if not loop.last else "as found_value," }}
            {%- endfor %}
            {%- for flow in flows %}
                case
                    when identities.of_{{ flow }} = 0
                    then 0e0
                    else abs(identities.of_{{ flow }}) * stated.{{ flow }}_half
                end
                {{ "+" if not loop.last else "as half_width" }}
            {%- endfor %}
        from stated
        cross join identities
    ),

    numbered_levels as (
        select
            {{ column_list(key) }},
            currency,
            measure,
            method,
            found_value,
            half_width,
            row_number() over (
                partition by {{ column_list(key) }}, measure
                order by
                    half_width,
                    case when method in ('as stated', 'sum of shorter periods') then 0 else 1 end,
                    method
            ) as narrowest_first
        from single_levels
        where found_value is not null
    ),

    -- Several partners together (DEU+JPN+USA): their sum, if all of them are known.
    joint_codes as (
        select distinct partner_code
        from {{ ref("published_claims") }}
        where partner_code like '%+%'
    ),

    joint_levels as (
        select
            {%- for column in key if column != "partner_code" %} levels.{{ column }}, {%- endfor %}
            joint_codes.partner_code,
            levels.currency,
            levels.measure,
            sum(levels.found_value) as found_value,
            sum(levels.half_width) as half_width,
            count(*) as partners
        from numbered_levels as levels
        inner join joint_codes on {{ in_list("levels.partner_code", "joint_codes.partner_code") }}
        where levels.narrowest_first = 1 and levels.partner_code <> joint_codes.partner_code
        group by
            {%- for column in key if column != "partner_code" %} levels.{{ column }}, {%- endfor %}
            joint_codes.partner_code,
            levels.currency,
            levels.measure
    ),

    final as (
        select
            {{ column_list(key) }},
            currency,
            measure,
            method,
            found_value,
            half_width,
            method = 'as stated' as is_stated,
            narrowest_first = 1 as is_narrowest
        from numbered_levels
        union all
        select
            {{ column_list(key, "joint_levels") }},
            joint_levels.currency,
            joint_levels.measure,
            'sum of the partners' as method,
            joint_levels.found_value,
            joint_levels.half_width,
            false as is_stated,
            stated_jointly.measure is null as is_narrowest
        from joint_levels
        left join
            numbered_levels as stated_jointly
            on {{ equal_on("joint_levels", "stated_jointly", key + ["measure"]) }}
            and stated_jointly.narrowest_first = 1
        where
            joint_levels.partners
            = length(joint_levels.partner_code)
            - length(replace(joint_levels.partner_code, '+', ''))
            + 1
    )

select
    {{ column_list(key) }},
    currency,
    measure,
    method,
    found_value,
    half_width,
    is_stated,
    is_narrowest
from final
