/*
title: The statements of a text, the contradicted first
*/
select claim_id, sentence
from marts.mart_published_claims
where text_release = cast($text_release as date)
group by claim_id, sentence
order by
    min(array_position(['contradicted', 'confirmed', 'consistent', 'no_data'], verdict)), claim_id
