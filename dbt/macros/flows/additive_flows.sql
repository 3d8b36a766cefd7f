{#- One row per country, member of a dimension and period, for periods of one frequency, such that every money column
    may be added up: the members of one breakdown (one source, release and currency) that do not overlap, and `_X` for
    the rest of the total of the same source and release. `country_totals` is the model with the countries' totals. -#}
{% macro additive_flows(dimension, frequency, country_totals) -%}
    {%- set statement = ["reporter_code", "period", "source", "release_date", "currency"] -%}
    {%- set member = statement + ["member_code"] -%}
    {%- set breakdown = ["reporter_code", "period"] -%}
    {%- set has_levels = dimension in ("sector", "region") -%}
    {%- set name = "subdivision" if dimension == "region" else dimension -%}
    {%- set breaks = ["receipts_is_break", "payments_is_break", "is_break"] -%}
    with
        flows as ({{ charges_of_countries(frequency, dimension) }}),

        listed_members as (
            select flows.*, members.member_kind, members.member_level, members.members
            from flows
            inner join
                {{ ref("int_members") }} as members
                on members.dimension = '{{ dimension }}'
                and flows.member_code = members.member_code
            where members.member_kind is not null
        ),

        {% if has_levels -%}
            -- The level that covers more of the flows; the upper one on a tie.
            levels as (
                select
                    {{ column_list(statement) }},
                    member_level,
                    row_number() over (
                        partition by {{ column_list(statement) }}
                        order by
                            sum(
                                abs(coalesce(receipts, 0))
                                + abs(coalesce(payments, 0))
                                + abs(coalesce(balance, 0))
                            ) desc,
                            case when member_level in ('section', 'first') then 0 else 1 end
                    ) as level_number
                from listed_members
                group by {{ column_list(statement) }}, member_level
            ),

            members_of_one_level as (
                select listed_members.*
                from listed_members
                inner join
                    levels
                    on {{ equal_on("listed_members", "levels", statement + ["member_level"]) }}
                    and levels.level_number = 1
            ),
        {%- endif %}
        {% set candidates = "members_of_one_level" if has_levels else "listed_members" %}

        -- Of a member and what it contains (industrial property: SH1 and SH2), the parts count if
        -- they have figures of every flow that the whole has, else the whole.
        wholes_and_parts as (
            select
                {{ column_list(statement, "parts") }},
                wholes.member_code as whole_code,
                parts.member_code as part_code,
                count(coalesce(parts.receipts, parts.payments, parts.balance)) over (
                    partition by {{ column_list(statement, "parts") }}, wholes.member_code
                )
                > 0
                {%- for flow in ["receipts", "payments"] %}
                    and (
                        wholes.{{ flow }} is null
                        or count(parts.{{ flow }}) over (
                            partition by {{ column_list(statement, "parts") }}, wholes.member_code
                        )
                        > 0
                    )
                {%- endfor %} as has_figures_of_parts
            from {{ candidates }} as wholes
            inner join
                {{ candidates }} as parts
                on {{ equal_on("wholes", "parts", statement) }}
                and {{ in_list("parts.member_code", "wholes.members") }}
            where wholes.members is not null and wholes.member_kind = 'member'
        ),

        overlapping_members as (
            select distinct
                {{ column_list(statement) }},
                case when has_figures_of_parts then whole_code else part_code end as member_code
            from wholes_and_parts
        ),

        disjoint_members as (
            select members.*
            from {{ candidates }} as members
            left join
                overlapping_members on {{ equal_on("members", "overlapping_members", member) }}
            where overlapping_members.member_code is null
        ),

        breakdowns as (
            select
                {{ column_list(statement + ["year", "year_before"]) }},
                {%- for flow in ["receipts", "payments"] %}
                    sum({{ flow }}_usd_m) as {{ flow }}_usd_m,
                    sum(
                        case when {{ flow }} is null and {{ flow }}_status = 'Q' then 1 else 0 end
                    ) as withheld_{{ flow }},
                    max(case when {{ flow }} is null and {{ flow }}_status = 'L' then 1 else 0 end)
                    = 1 as has_unavailable_{{ flow }},
                {%- endfor %}
                sum(case when balance is null then 1 else 0 end) as members_without_balance,
                {%- for amount in money_columns() %}
                    sum({{ amount }}) as sum_of_{{ amount }},
                {%- endfor %}
                {%- for flow in ["receipts", "payments", "balance"] %}
                    max(
                        case when {{ flow }}_comparator <> '=' then 1 else 0 end
                    ) as inexact_{{ flow }},
                {%- endfor %}
                max(case when is_computed then 1 else 0 end) = 1 as is_computed,
                max(case when has_missing_rate then 1 else 0 end) = 1 as has_missing_rate
            from disjoint_members
            group by {{ column_list(statement + ["year", "year_before"]) }}
        ),

        numbered_breakdowns as (
            select
                breakdowns.*,
                row_number() over (
                    partition by {{ column_list(breakdown, "breakdowns") }}
                    order by
                        {{ preferred_statement_first("breakdowns", "sources", is_breakdown=true) }},
                        breakdowns.currency
                ) as breakdown_number
            from breakdowns
            inner join {{ ref("dim_source") }} as sources on breakdowns.source = sources.source
        ),

        chosen_breakdowns as (
            select
                chosen.*,
                {{ differs_from_last_statement("chosen", "year_before") }}
                as differs_from_last_statement
            from numbered_breakdowns as chosen
            left join
                numbered_breakdowns as year_before
                on chosen.reporter_code = year_before.reporter_code
                and chosen.year_before = year_before.period
                and year_before.breakdown_number = 1
            where chosen.breakdown_number = 1
        ),

        -- The rest of the total, after rounding. Without a total it is not known.
        unallocated as (
            select
                {{ column_list(statement + ["year", "year_before"], "chosen") }},
                '_X' as member_code,
                'unallocated' as member_kind,
                {%- for amount in money_columns() %}
                    {{ money("totals." ~ amount ~ " - coalesce(chosen.sum_of_" ~ amount ~ ", 0)") }}
                    as {{ amount }},
                {%- endfor %}
                {%- for flow in ["receipts", "payments", "balance"] %}
                    totals.{{ flow }}_status,
                    case
                        when totals.{{ flow }} is null or chosen.inexact_{{ flow }} = 0
                        then totals.{{ flow }}_comparator
                        else '~'
                    end as {{ flow }}_comparator,
                {%- endfor %}
                {%- for is_break in breaks %}
                    coalesce(totals.{{ is_break }}, false) as {{ is_break }},
                {%- endfor %}
                chosen.is_computed or coalesce(totals.is_computed, false) as is_computed,
                chosen.has_missing_rate
                or coalesce(totals.has_missing_rate, false) as has_missing_rate,
                -- Of every flow that a member states or withholds.
                coalesce(totals.receipts, totals.payments) is not null
                {%- for flow in ["receipts", "payments"] %}
                    and (
                        totals.{{ flow }} is not null
                        or (chosen.sum_of_{{ flow }} is null and chosen.withheld_{{ flow }} = 0)
                    )
                {%- endfor %} as has_total
            from chosen_breakdowns as chosen
            left join
                flows as totals
                on {{ equal_on("chosen", "totals", statement) }}
                and totals.member_code = {{ total_of(dimension) }}
        ),

        {%- set row = (
            statement
            + ["year", "year_before", "member_code", "member_kind"]
            + flow_columns()
            + breaks
            + ["is_computed", "has_missing_rate"]
        ) %}

        parts as (
            select {{ column_list(row, "members") }}
            from disjoint_members as members
            inner join
                chosen_breakdowns on {{ equal_on("members", "chosen_breakdowns", statement) }}
            union all
            select {{ column_list(row) }}
            from unallocated
        ),

        {% if dimension == "category" -%}
            -- A category that begins was within the others before, so none of them continues;
            -- one that was within a group that was stated took nothing from them.
            beginnings as (
                select distinct {{ column_list(statement, "members") }}
                from disjoint_members as members
                inner join
                    breakdowns as before
                    on {{
                        equal_on(
                            "members",
                            "before",
                            ["reporter_code", "source", "release_date", "currency"],
                        )
                    }}
                    and members.year_before = before.period
                left join
                    {{ candidates }} as previous
                    on {{
                        equal_on(
                            "members",
                            "previous",
                            [
                                "reporter_code",
                                "source",
                                "release_date",
                                "currency",
                                "member_code",
                            ],
                        )
                    }}
                    and members.year_before = previous.period
                where
                    members.has_figure
                    and not coalesce(previous.has_figure or previous.has_withheld_flow, false)
                    and not exists (
                        select 1
                        from {{ candidates }} as wholes
                        where
                            {{
                                equal_on(
                                    "members",
                                    "wholes",
                                    ["reporter_code", "source", "release_date", "currency"],
                                )
                            }}
                            and members.year_before = wholes.period
                            and wholes.has_figure
                            and {{ in_list("members.member_code", "wholes.members") }}
                    )
            ),
        {%- endif %}

        -- What breaks the total breaks its parts.
        parts_and_breaks as (
            select
                {{ column_list(row | reject("in", breaks) | list, "parts") }},
                {%- for is_break in breaks %}
                    parts.{{ is_break }} or unallocated.{{ is_break }}
                    {%- if dimension == "category" %}
                        or beginnings.reporter_code is not null
                    {%- endif %} as {{ is_break }},
                {%- endfor %}
                chosen.differs_from_last_statement
            from parts
            inner join chosen_breakdowns as chosen on {{ equal_on("parts", "chosen", statement) }}
            inner join unallocated on {{ equal_on("parts", "unallocated", statement) }}
            {%- if dimension == "category" %}
                left join beginnings on {{ equal_on("parts", "beginnings", statement) }}
            {%- endif %}
        ),

        with_context as (
            select
                parts.*,
                {{ growth_in_one_release("parts", "previous") }},
                {%- for flow in ["receipts", "payments"] %}
                    case
                        when parts.member_kind = 'unallocated'
                        then chosen.withheld_{{ flow }}
                        else 0
                    end as withheld_{{ flow }},
                    chosen.has_unavailable_{{ flow }},
                    -- Their sum is the total: the rest is one of them.
                    sum(parts.{{ flow }}_usd_m) over (
                        partition by {{ column_list(breakdown, "parts") }}
                    ) as total_{{ flow }}_usd_m,
                    max(
                        case when parts.member_kind = 'unallocated' then parts.{{ flow }}_usd_m end
                    ) over (partition by {{ column_list(breakdown, "parts") }})
                    as unallocated_{{ flow }}_usd_m,
                    rank() over (
                        partition by {{ column_list(breakdown, "parts") }}
                        order by
                            case when parts.member_kind = 'member' then parts.{{ flow }}_usd_m end
                            desc nulls last
                    ) as {{ flow }}_place,
                    count(
                        case when parts.member_kind = 'member' then parts.{{ flow }}_usd_m end
                    ) over (partition by {{ column_list(breakdown, "parts") }})
                    as {{ flow }}_competitors,
                {%- endfor %}
                case
                    when parts.member_kind = 'unallocated'
                    then chosen.members_without_balance
                    else 0
                end as members_without_balance,
                unallocated.has_total,
                countries.reporter_code is not null as has_country_total
            from parts_and_breaks as parts
            inner join chosen_breakdowns as chosen on {{ equal_on("parts", "chosen", statement) }}
            inner join unallocated on {{ equal_on("parts", "unallocated", statement) }}
            left join
                disjoint_members as previous
                on {{
                    equal_on(
                        "parts",
                        "previous",
                        ["reporter_code", "source", "release_date", "currency", "member_code"],
                    )
                }}
                and parts.year_before = previous.period
            left join
                {{ ref(country_totals) }} as countries
                on {{ equal_on("parts", "countries", statement) }}
        ),

        -- A member without a figure, or that the publisher does not list, can be above those that
        -- are smaller than the unallocated amount. A category that is not available is within the
        -- others, which are therefore not what their names say.
        ranked as (
            select
                *,
                {%- for flow in ["receipts", "payments"] %}
                    member_kind = 'member' and {{ flow }}_competitors >= 2
                    {%- if dimension == "category" %} and not has_unavailable_{{ flow }}{% endif %}
                    and coalesce(
                        {{ flow }}_usd_m >= unallocated_{{ flow }}_usd_m, false
                    ) as has_rank_by_{{ flow }}{{ "," if not loop.last }}
                {%- endfor %}
            from with_context
        ),

        final as (
            select
                ranked.*,
                reporters.reporter_name,
                members.{{ dimension }}_name as member_name,
                {%- if dimension == "sector" %}
                    members.sector_level,
                    case
                        when members.sector_level = 'division'
                        then members.parent_code
                        when members.sector_level = 'section' or ranked.member_kind = 'unallocated'
                        then ranked.member_code
                    end as section_code,
                {%- endif %}
                {%- for flow in ["receipts", "payments"] %}
                    case
                        when ranked.unallocated_{{ flow }}_usd_m is not null
                        then
                            {{
                                share_pct(
                                    "ranked." ~ flow ~ "_usd_m",
                                    "ranked.total_" ~ flow ~ "_usd_m",
                                )
                            }}
                    end as share_of_{{ flow }}_pct,
                    case
                        when ranked.has_rank_by_{{ flow }}
                        then cast(ranked.{{ flow }}_place as bigint)
                    end as rank_by_{{ flow }},
                    case
                        when ranked.has_rank_by_{{ flow }}
                        then cast(ranked.{{ flow }}_competitors as bigint)
                    end as {{ flow }}_ranked_among,
                {%- endfor %}
                ranked.is_break or ranked.differs_from_last_statement as is_break_in_series
            from ranked
            inner join
                {{ ref("dim_reporter") }} as reporters
                on ranked.reporter_code = reporters.reporter_code
            inner join
                {{ ref("dim_" ~ dimension) }} as members
                on ranked.member_code = members.{{ dimension }}_code
        )

    select
        reporter_code,
        reporter_name,
        member_code as {{ name }}_code,
        member_name as {{ name }}_name,
        {%- if dimension == "sector" %} sector_level, section_code, {%- endif %}
        member_kind,
        year,
        period,
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
        cast(withheld_receipts as bigint) as withheld_receipts,
        cast(withheld_payments as bigint) as withheld_payments,
        cast(members_without_balance as bigint) as members_without_balance,
        share_of_receipts_pct,
        share_of_payments_pct,
        rank_by_receipts,
        receipts_ranked_among,
        rank_by_payments,
        payments_ranked_among,
        receipts_growth_pct,
        payments_growth_pct,
        receipts_growth_stated_pct,
        payments_growth_stated_pct,
        balance_change_usd_m,
        is_break_in_series,
        is_computed,
        has_missing_rate,
        has_total,
        has_country_total,
        source,
        release_date
    from final
    order by reporter_code, period, {{ name }}_code
{%- endmacro %}
