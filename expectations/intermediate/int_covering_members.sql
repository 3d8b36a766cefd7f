-- name: both_come_first
select later.dimension, later.member_code, later.preferred_code
from $batch as later
join
    $batch as earlier
    on later.dimension = earlier.dimension
    and later.member_code = earlier.preferred_code
    and later.preferred_code = earlier.member_code
;
