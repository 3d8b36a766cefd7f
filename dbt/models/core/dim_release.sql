with
    releases as (
        select source, release_date, count(*) as files, sum(rows_kept) as rows_kept
        from {{ source("audit", "releases") }}
        where status = 'accepted'
        group by source, release_date
    ),

    final as (
        select
            source,
            release_date,
            files,
            cast(rows_kept as bigint) as rows_kept,
            release_date = max(release_date) over (partition by source) as is_latest
        from releases
    )

select source, release_date, files, rows_kept, is_latest
from final
order by source, release_date
