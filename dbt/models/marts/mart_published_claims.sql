-- Claims of public texts, tested against every release that can answer them. Another source, or
-- another text, confirms or contradicts; the text itself can only be consistent with its other
-- numbers (or contradict them).
{%- set dimensions = [
    "reporter_code",
    "partner_code",
    "sector_code",
    "category_code",
    "affiliation_code",
    "region_code",
] %}
with
    claims as (
        select
            claim_id,
            cast(text_release as date) as text_release,
            citation,
            sentence,
            measure,
            {{ column_list(dimensions) }},
            concepts,
            cast(period as string) as period,
            comparator,
            cast(stated_value as double) as stated_value,
            unit,
            cast(unit_multiplier as int) as unit_multiplier,
            cast(rounding as double) as rounding,
            case
                when measure in ('receipts', 'payments', 'balance', 'total_trade', 'balance_change')
                then power(10e0, cast(unit_multiplier as int) - 6)
                else 1e0
            end as millions_per_unit
        from {{ ref("published_claims") }}
    ),

    -- The row that states a claim is not evidence for it: from the claim's own text only identities
    -- count.
    answers as (
        select
            claims.claim_id,
            measures.source,
            measures.release_date,
            measures.concept,
            measures.method,
            measures.found_value / claims.millions_per_unit as found_value,
            claims.rounding / 2
            + measures.half_width / claims.millions_per_unit
            + case
                when claims.comparator = '~'
                then {{ var("about_is_within") }} * abs(claims.stated_value)
                else 0
            end
            + 1e-9 as tolerance,  -- found values are floating-point results
            measures.source = 'published_figures'
            and measures.release_date = claims.text_release as is_same_text,
            row_number() over (
                partition by claims.claim_id, measures.source, measures.release_date
                order by
                    case when measures.is_stated then 0 else 1 end,
                    measures.half_width,
                    measures.concept,
                    measures.method
            ) as best_first
        from claims
        inner join
            {{ ref("int_measures_by_release") }} as measures
            on {{ equal_on("claims", "measures", dimensions + ["measure", "unit"]) }}
            and (claims.period = measures.period or claims.measure = 'first_year_in_surplus')
            and {{ in_list("measures.concept", "claims.concepts") }}
        where
            not (
                measures.is_stated
                and measures.source = 'published_figures'
                and measures.release_date = claims.text_release
            )
    ),

    judged as (
        select
            claims.claim_id,
            answers.source,
            answers.release_date,
            answers.concept,
            answers.method,
            answers.found_value,
            answers.tolerance,
            answers.is_same_text,
            case
                when claims.comparator = '>'
                then answers.found_value + answers.tolerance > claims.stated_value
                when claims.comparator = '<'
                then answers.found_value - answers.tolerance < claims.stated_value
                else abs(answers.found_value - claims.stated_value) <= answers.tolerance
            end as agrees
        from claims
        inner join answers on claims.claim_id = answers.claim_id
        where answers.best_first = 1
    ),

    final as (
        select
            claims.claim_id,
            claims.text_release,
            claims.citation,
            claims.sentence,
            claims.measure,
            {{ column_list(dimensions, "claims") }},
            claims.period,
            claims.comparator,
            claims.stated_value,
            claims.unit,
            claims.unit_multiplier,
            claims.rounding,
            round(judged.found_value, 6) as found_value,
            round(judged.tolerance, 6) as tolerance,
            case
                when judged.claim_id is null
                then 'no_data'
                when not judged.agrees
                then 'contradicted'
                when judged.is_same_text
                then 'consistent'
                else 'confirmed'
            end as verdict,
            judged.source,
            judged.release_date,
            judged.concept,
            judged.method
        from claims
        left join judged on claims.claim_id = judged.claim_id
    )

select
    claim_id,
    text_release,
    citation,
    sentence,
    measure,
    {{ column_list(dimensions) }},
    period,
    comparator,
    stated_value,
    unit,
    unit_multiplier,
    rounding,
    found_value,
    tolerance,
    verdict,
    source,
    release_date,
    concept,
    method
from final
order by claim_id, source, release_date
