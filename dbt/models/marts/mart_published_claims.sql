-- Claims of public texts, tested against every release that can answer them, and one verdict over
-- all of them. Another source, or another text, confirms or contradicts; the text itself can only
-- be
-- consistent with its other numbers (or contradict them). The rules are in docs/claims.md.
{%- set dimensions = [
    "reporter_code",
    "partner_code",
    "sector_code",
    "category_code",
    "affiliation_code",
    "region_code",
] %}
{%- set statement = (
    [
        "claim_id",
        "text_release",
        "citation",
        "sentence",
        "measure",
    ]
    + dimensions
    + [
        "period",
        "compared_with",
        "comparator",
        "stated_value",
        "unit",
        "unit_multiplier",
        "rounding",
        "holds_from",
        "holds_to",
    ]
) %}
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
            split_part(concepts, '+', 1) as text_concept,
            cast(period as string) as period,
            cast(compared_with as string) as compared_with,
            comparator,
            cast(stated_value as double) as stated_value,
            unit,
            cast(unit_multiplier as int) as unit_multiplier,
            cast(rounding as double) as rounding,
            cast(data_would_be_in as string) as data_would_be_in,
            {{ is_currency("unit") }} as is_money,
            unit not in ('rank', 'year', 'sign')
            and (comparator in ('=', '~') or rounding > 0) as is_figure,
            case
                when {{ is_currency("unit") }}
                then power(10e0, cast(unit_multiplier as int) - 6)
                else 1e0
            end as millions_per_unit,
            case
                when measure like '%receipts%'
                then 'receipts'
                when measure like '%payments%'
                then 'payments'
                when measure like 'total_trade%'
                then 'total_trade'
                else 'balance'
            end as level_measure
        from {{ ref("published_claims") }}
    ),

    -- A text rounds its figures or cuts them off. Beyond a bound lies one unit of its last digit; a
    -- bound without a last digit is open.
    claims_with_ranges as (
        select
            claims.*,
            round(
                case
                    when comparator = '>'
                    then stated_value
                    when comparator = '<'
                    then case when rounding > 0 then stated_value - rounding end
                    when comparator = '=' and is_figure and stated_value < 0
                    then stated_value - rounding
                    else stated_value - rounding / 2
                end,
                9
            ) as holds_from,
            round(
                case
                    when comparator = '<'
                    then stated_value
                    when comparator = '>'
                    then case when rounding > 0 then stated_value + rounding end
                    when comparator = '=' and is_figure and stated_value >= 0
                    then stated_value + rounding
                    else stated_value + rounding / 2
                end,
                9
            ) as holds_to
        from claims
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
            measures.half_width / claims.millions_per_unit as half_width,
            row_number() over (
                partition by claims.claim_id, measures.source, measures.release_date
                order by
                    case when measures.concept = claims.text_concept then 0 else 1 end,
                    case when measures.is_stated then 0 else 1 end,
                    measures.half_width,
                    measures.concept,
                    measures.method
            ) as best_first
        from claims
        inner join
            {{ ref("int_measures_by_release") }} as measures
            on {{ equal_on("claims", "measures", dimensions + ["measure", "unit"]) }}
            and coalesce(claims.compared_with, '_Z') = measures.compared_with
            and (
                claims.period = measures.period
                or claims.measure in ('first_year_in_surplus', 'receipts_share_peak_year')
            )
            and {{ in_list("measures.concept", "claims.concepts") }}
        where
            not (
                measures.is_stated
                and measures.source = 'published_figures'
                and measures.release_date = claims.text_release
            )
    ),

    levels as (
        select
            source,
            release_date,
            {{ column_list(dimensions) }},
            concept,
            measure as level_measure,
            period,
            frequency
        from {{ ref("int_levels_by_release") }}
        where is_narrowest
    ),

    -- A rank is not decided by a release that has the member but not its competitors.
    answers_and_gaps as (
        select claim_id, source, release_date, concept, method, found_value, half_width
        from answers
        where best_first = 1
        union all
        select
            claims.claim_id,
            levels.source,
            levels.release_date,
            levels.concept,
            'one member stated, its competitors not' as method,
            cast(null as double) as found_value,
            cast(null as double) as half_width
        from claims
        inner join
            levels
            on {{ equal_on("claims", "levels", dimensions + ["period", "level_measure"]) }}
            and claims.text_concept = levels.concept
        where
            claims.unit = 'rank'
            and not exists (
                select 1
                from answers
                where
                    {{ equal_on("answers", "levels", ["source", "release_date"]) }}
                    and answers.claim_id = claims.claim_id
            )
    ),

    series as (
        select
            source,
            release_date,
            {{ column_list(dimensions) }},
            concept,
            level_measure,
            frequency,
            min(period) as series_begins
        from levels
        group by
            source, release_date, {{ column_list(dimensions) }}, concept, level_measure, frequency
    ),

    compared as (
        select
            answers.claim_id,
            answers.source,
            answers.release_date,
            answers.concept,
            answers.method,
            answers.found_value,
            case when claims.comparator in ('=', '~') then claims.rounding / 2 else 0e0 end
            + answers.half_width
            + 1e-9 as tolerance,  -- found values are floating-point results
            case
                when claims.is_figure and claims.stated_value <> 0
                then
                    {{
                        pct(
                            "100 * (answers.found_value - claims.stated_value) / abs(claims.stated_value)"
                        )
                    }}
            end as deviation_pct,
            series.series_begins,
            answers.source = 'published_figures'
            and answers.release_date = claims.text_release as is_same_text,
            answers.release_date <= claims.text_release as is_known_to_text,
            answers.release_date <= cast(
                {{
                    dbt.dateadd(
                        "year",
                        var("figures_are_provisional_for_years"),
                        period_end("claims.period"),
                    )
                }} as date
            ) as is_provisional,
            claims.is_figure and answers.concept <> claims.text_concept as is_other_concept,
            claims.is_money,
            case
                when claims.comparator in ('>', '<')
                then
                    coalesce(answers.found_value + answers.half_width > claims.holds_from, true)
                    and coalesce(answers.found_value - answers.half_width < claims.holds_to, true)
                else
                    answers.found_value + answers.half_width >= claims.holds_from - 1e-9
                    and answers.found_value - answers.half_width <= claims.holds_to + 1e-9
                    and abs(answers.found_value - claims.stated_value) - answers.half_width
                    < claims.rounding - 1e-9
            end as agrees
        from answers_and_gaps as answers
        inner join claims_with_ranges as claims on answers.claim_id = claims.claim_id
        left join
            series
            on {{ equal_on("answers", "series", ["source", "release_date", "concept"]) }}
            and {{ equal_on("claims", "series", dimensions + ["level_measure"]) }}
            and series.frequency = {{ period_frequency("claims.period") }}
    ),

    with_confirmations as (
        select
            compared.*,
            max(
                case
                    when agrees and is_known_to_text and not is_same_text and not is_other_concept
                    then 1
                    else 0
                end
            ) over (partition by claim_id)
            = 1 as was_right
        from compared
    ),

    judged as (
        select
            with_confirmations.*,
            case
                when found_value is null
                then 'undecided'
                when is_other_concept
                then 'not_comparable'
                when agrees and is_same_text
                then 'consistent'
                when agrees
                then 'confirmed'
                when is_same_text
                then 'contradicted'
                when is_known_to_text and is_provisional
                then 'older_vintage'
                when not is_known_to_text and was_right
                then 'superseded'
                when
                    not is_known_to_text
                    and is_money
                    and abs(deviation_pct) <= {{ var("revision_is_within_pct") }}
                then 'revised'
                else 'contradicted'
            end as verdict
        from with_confirmations
    ),

    -- Releases that the text could have used come first, then the publisher closest to the survey.
    ordered as (
        select
            judged.*,
            row_number() over (
                partition by judged.claim_id
                order by
                    case
                        when
                            judged.is_same_text and judged.verdict in ('consistent', 'contradicted')
                        then 2
                        when
                            judged.verdict in ('confirmed', 'contradicted', 'superseded', 'revised')
                        then 1
                        when judged.verdict = 'older_vintage'
                        then 3
                        when judged.verdict = 'not_comparable'
                        then 4
                        else 5
                    end,
                    case when judged.is_known_to_text then 0 else 1 end,
                    sources.publisher_precedence,
                    judged.release_date desc,
                    sources.precedence
            ) as decisive_first,
            row_number() over (
                partition by judged.claim_id, judged.is_known_to_text
                order by
                    case
                        when
                            judged.verdict in ('confirmed', 'contradicted', 'superseded', 'revised')
                        then 0
                        else 1
                    end,
                    sources.publisher_precedence,
                    judged.release_date desc,
                    sources.precedence
            ) as best_of_its_time_first
        from judged
        inner join {{ ref("dim_source") }} as sources on judged.source = sources.source
    ),

    overall as (
        select
            claim_id,
            max(case when decisive_first = 1 then verdict end) as overall_verdict,
            max(
                case
                    when
                        best_of_its_time_first = 1
                        and not is_known_to_text
                        and verdict in ('superseded', 'revised')
                    then source || ' ' || cast(release_date as string)
                end
            ) as superseded_by
        from ordered
        group by claim_id
    ),

    final as (
        select
            {{ column_list(statement, "claims") }},
            round(ordered.found_value, 6) as found_value,
            round(ordered.tolerance, 6) as tolerance,
            ordered.deviation_pct,
            coalesce(ordered.verdict, 'no_data') as verdict,
            coalesce(ordered.decisive_first = 1, true) as is_decisive,
            coalesce(overall.overall_verdict, 'no_data') as overall_verdict,
            overall.superseded_by,
            ordered.source,
            ordered.release_date,
            ordered.concept,
            ordered.method,
            ordered.series_begins,
            case
                when coalesce(overall.overall_verdict, 'no_data') in ('no_data', 'undecided')
                then claims.data_would_be_in
            end as data_would_be_in
        from claims_with_ranges as claims
        left join ordered on claims.claim_id = ordered.claim_id
        left join overall on claims.claim_id = overall.claim_id
    )

select
    {{ column_list(statement) }},
    found_value,
    tolerance,
    deviation_pct,
    verdict,
    is_decisive,
    overall_verdict,
    superseded_by,
    source,
    release_date,
    concept,
    method,
    series_begins,
    data_would_be_in
from final
order by claim_id, source, release_date
