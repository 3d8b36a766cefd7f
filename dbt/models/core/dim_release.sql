-- A release of additive statements (texts) adds to those before it: each stays current.
with
    releases as (
        select source, release_date, count(*) as files, sum(rows_kept) as rows_kept
        from {{ source("audit", "releases") }}
        where status = 'accepted'
        group by source, release_date
    ),

    final as (
        select
            releases.source,
            release_date,
            files,
            cast(rows_kept as bigint) as rows_kept,
            coalesce(sources.releases_are = 'additive', false)
            or release_date = max(release_date) over (partition by releases.source) as is_latest
        from releases
        left join {{ ref("dim_source") }} as sources on releases.source = sources.source
    )

select source, release_date, files, rows_kept, is_latest
from final
order by source, release_date
