with
    final as (
        select
            source,
            publisher,
            title,
            licence,
            cast(url as string) as url,
            citation,
            cast(precedence as int) as precedence,
            covers_world,
            releases_are
        from {{ ref("sources") }}
    )

select source, publisher, title, licence, url, citation, precedence, covers_world, releases_are
from final
order by precedence
