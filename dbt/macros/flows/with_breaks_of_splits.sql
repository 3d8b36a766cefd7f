{#- Observations in the common shape, with a break (SDMX: B) wherever a split by type of right changes: a part begins
    later than its siblings, which filled the whole until then. So they contained it, and from the first period of the
    part on, no part of the split compares with the period before. The rest of a whole that the parts did not fill may
    have contained the new part instead: no break. Siblings have the same parent and kind in the seed categories. -#}
{% macro with_breaks_of_splits(observations) -%}
    {%- set split = [
        "release_date",
        "reporter_code",
        "partner_code",
        "sector_code",
        "affiliation_code",
        "region_code",
        "concept",
        "frequency",
        "flow",
        "currency",
    ] -%}
    {%- set siblings = split + ["whole_code", "kind"] -%}
    with
        with_wholes as (
            select
                observations.*,
                categories.kind,
                case
                    when categories.parent_code = 'SH' then '_T' else categories.parent_code
                end as whole_code
            from {{ observations }} as observations
            left join
                {{ ref("categories") }} as categories
                on observations.category_code = categories.category_code
                and categories.category_code <> 'SH'
        ),

        begun_parts as (
            select {{ column_list(siblings) }}, category_code, min(period) as first_period
            from with_wholes
            where whole_code is not null and (value is not null or obs_status = 'Q')
            group by {{ column_list(siblings) }}, category_code
        ),

        sums as (
            select
                {{ column_list(siblings) }},
                period,
                sum(value) as value,
                sum(rounding) as rounding,
                sum(abs(value)) as magnitude,
                count(value) as terms
            from with_wholes
            where whole_code is not null and value is not null
            group by {{ column_list(siblings) }}, period
        ),

        later_beginnings as (
            select
                {{ column_list(siblings, "begun_parts") }},
                begun_parts.first_period,
                max(sums.period) as period_before
            from begun_parts
            inner join
                sums
                on {{ equal_on("begun_parts", "sums", siblings) }}
                and begun_parts.first_period > sums.period
            group by {{ column_list(siblings, "begun_parts") }}, begun_parts.first_period
        ),

        breaks as (
            select distinct {{ column_list(siblings + ["first_period"], "later_beginnings") }}
            from later_beginnings
            inner join
                sums
                on {{ equal_on("later_beginnings", "sums", siblings) }}
                and later_beginnings.period_before = sums.period
            inner join
                with_wholes as wholes
                on {{ equal_on("sums", "wholes", split + ["period"]) }}
                and sums.whole_code = wholes.category_code
            where
                abs(sums.value - wholes.value)
                <= {{
                    tolerance(
                        "sums.rounding + wholes.rounding",
                        "sums.magnitude + abs(wholes.value)",
                        "(sums.terms + 1)",
                    )
                }}
        )

    select
        {{ column_list(split, "observations") }},
        observations.source,
        observations.category_code,
        observations.period,
        observations.value,
        observations.rounding,
        observations.comparator,
        case
            when breaks.first_period is not null and observations.value is not null
            then 'B'
            else observations.obs_status
        end as obs_status,
        observations.conf_status,
        observations.file_name,
        observations.sheet_name,
        observations.row_number,
        observations.column_name
    from with_wholes as observations
    left join
        breaks
        on {{ equal_on("observations", "breaks", siblings) }}
        and observations.period = breaks.first_period
{%- endmacro %}
