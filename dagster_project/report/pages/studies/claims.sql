/*
title: The statements of a text, the contradicted first
*/
select claim_id, sentence
from marts.claim_verdicts
where text_release = cast($text_release as date)
order by
    array_position(
        [
            'contradicted',
            'superseded',
            'revised',
            'confirmed',
            'consistent',
            'older_vintage',
            'not_comparable',
            'undecided',
            'no_data'
        ],
        verdict
    ),
    claim_id
