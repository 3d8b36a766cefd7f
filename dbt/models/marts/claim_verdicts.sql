-- One row per claim: the verdict over all releases, and the answer that it rests on.
with
    final as (
        select
            claim_id,
            text_release,
            citation,
            sentence,
            measure,
            period,
            comparator,
            stated_value,
            unit,
            unit_multiplier,
            overall_verdict as verdict,
            found_value,
            deviation_pct,
            source,
            release_date,
            concept,
            method,
            series_begins,
            superseded_by,
            data_would_be_in
        from {{ ref("mart_published_claims") }}
        where is_decisive
    )

select
    claim_id,
    text_release,
    citation,
    sentence,
    measure,
    period,
    comparator,
    stated_value,
    unit,
    unit_multiplier,
    verdict,
    found_value,
    deviation_pct,
    source,
    release_date,
    concept,
    method,
    series_begins,
    superseded_by,
    data_would_be_in
from final
order by claim_id
