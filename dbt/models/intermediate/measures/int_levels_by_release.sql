-- Receipts, payments, balance and total trade of every release, each by every method the release
-- supports: as stated, by an identity between the other flows, or from the other parts of a
-- total. Only for the reporters of the
-- published claims, with the partners that their claims name and with the world. Sums of shorter
-- periods are marked as such and do not count as stated. A stated number is a range, value +-
-- rounding / 2; `half_width` carries that range through the arithmetic.
{%- set key = ["source", "release_date"] + key_columns() %}
{%- set flows = ["receipts", "payments", "balance", "total"] %}
{%- set names_of_groups = {"COPYRIGHT": "copyright", "IND_PROP": "industrial property"} %}
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

    identities as ({{ flow_identities() }}),

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
            {{ identity_value("identities", "stated") }} as found_value,
            {{ identity_value("identities", "stated", half_width=true) }} as half_width
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

    -- Industrial property and copyright make the total: one is the total without the other.
    groups_of_rights as (
        {%- for group, other in [("COPYRIGHT", "IND_PROP"), ("IND_PROP", "COPYRIGHT")] %}
            select
                '{{ group }}' as category_code,
                '{{ other }}' as other_code,
                'total - {{ names_of_groups[other] }}' as method {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    rests as (
        select
            {%- for column in key if column != "category_code" %} wholes.{{ column }}, {%- endfor %}
            groups_of_rights.category_code,
            wholes.currency,
            wholes.measure,
            groups_of_rights.method,
            wholes.found_value - parts.found_value as found_value,
            wholes.half_width + parts.half_width as half_width
        from numbered_levels as wholes
        inner join
            numbered_levels as parts
            on {{ equal_on("wholes", "parts", key | reject("equalto", "category_code") | list) }}
            and {{ equal_on("wholes", "parts", ["currency", "measure"]) }}
            and parts.narrowest_first = 1
        inner join groups_of_rights on parts.category_code = groups_of_rights.other_code
        where wholes.category_code = '_T' and wholes.narrowest_first = 1
    ),

    -- Whatever is put together or left over counts as the level only where none is stated.
    composed as (
        select
            {{ column_list(key) }},
            currency,
            measure,
            'sum of the partners' as method,
            found_value,
            half_width
        from joint_levels
        where partners = length(partner_code) - length(replace(partner_code, '+', '')) + 1
        union all
        select {{ column_list(key) }}, currency, measure, method, found_value, half_width
        from rests
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
            {{ column_list(key, "composed") }},
            composed.currency,
            composed.measure,
            composed.method,
            composed.found_value,
            composed.half_width,
            false as is_stated,
            stated_together.measure is null as is_narrowest
        from composed
        left join
            numbered_levels as stated_together
            on {{ equal_on("composed", "stated_together", key + ["measure"]) }}
            and stated_together.narrowest_first = 1
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
