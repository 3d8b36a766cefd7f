{#- Statements, and sums for keys of which a source states only shorter periods: 3 months make a quarter, 6 months or
    2 quarters a half-year, 12 months or 4 quarters a year. Only complete sums of exact statements of one release, and
    only where the release says nothing about the key itself, not even that it is missing or suppressed. A sum with a
    withheld part is withheld. Where months and quarters could both make the half-year or the year, the months do, for
    all flows, unless all their sums are withheld. `columns` is the grain. Adds `is_computed`; the rounding of a sum is
    the sum of its parts' roundings, its status that of a part that is not normal, if there is one. -#}
{% macro with_sums_of_periods(statements, columns) -%}
    {%- set series = columns | reject("in", ["period", "frequency"]) | list -%}
    {%- set stated = (
        [
            "release_date",
            "currency",
            "flow",
            "value",
            "value_usd_m",
            "rounding",
            "comparator",
            "obs_status",
            "rate_is_missing",
        ]
        | reject("in", columns)
        | list
    ) -%}
    {%- set targets = [
        {"part": "M", "whole": "Q", "parts": 3},
        {"part": "M", "whole": "S", "parts": 6},
        {"part": "M", "whole": "A", "parts": 12},
        {"part": "Q", "whole": "S", "parts": 2},
        {"part": "Q", "whole": "A", "parts": 4},
    ] -%}
    with
        parts as (
            select
                {{ column_list(series) }},
                release_date as part_release,
                currency,
                flow,
                frequency as part_frequency,
                {{ period_start("period") }} as start_date,
                value,
                value_usd_m,
                rounding,
                obs_status,
                rate_is_missing
            from {{ statements }}
            where
                frequency in ('M', 'Q')
                and (value is not null or obs_status = 'Q')
                and comparator = '='
        ),

        parts_of_wholes as (
            {%- for target in targets %}
                select
                    {{ column_list(series) }},
                    part_release,
                    currency,
                    flow,
                    part_frequency,
                    {{ period_of_day("start_date", "'" ~ target.whole ~ "'") }} as period,
                    '{{ target.whole }}' as frequency,
                    {{ target.parts }} as parts_needed,
                    value,
                    value_usd_m,
                    rounding,
                    obs_status,
                    rate_is_missing
                from parts
                where part_frequency = '{{ target.part }}' {{ "union all" if not loop.last }}
            {%- endfor %}
        ),

        sums as (
            select
                {{ column_list(columns) }},
                part_frequency,
                {%- if "release_date" not in columns %}
                    max(part_release) as release_date,
                {%- endif %}
                currency,
                flow,
                {{ exact("case when count(value) = count(*) then sum(value) end") }} as value,
                {{ exact("case when count(value_usd_m) = count(*) then sum(value_usd_m) end") }}
                as value_usd_m,
                {{ exact("sum(rounding)") }} as rounding,
                '=' as comparator,
                case
                    when count(value) < count(*)
                    then 'Q'
                    else coalesce(min(case when obs_status <> 'A' then obs_status end), 'A')
                end as obs_status,
                max(case when rate_is_missing then 1 else 0 end) = 1 as rate_is_missing,
                coalesce(
                    min(case when count(value) = count(*) then part_frequency end) over (
                        partition by {{ column_list(columns) }}
                    ),
                    min(part_frequency) over (partition by {{ column_list(columns) }})
                ) as part_frequency_used
            from parts_of_wholes
            group by {{ column_list(columns) }}, part_frequency, currency, flow
            having count(*) = max(parts_needed) and min(part_release) = max(part_release)
        ),

        computed as (
            select {{ column_list(columns + stated, "sums") }}
            from sums
            where
                part_frequency = part_frequency_used
                and not exists (
                    select 1
                    from {{ statements }} as statements
                    where {{ equal_on("statements", "sums", columns) }}
                )
        )

    select {{ column_list(columns + stated) }}, false as is_computed
    from {{ statements }}
    union all
    select {{ column_list(columns + stated) }}, true as is_computed
    from computed
{%- endmacro %}
