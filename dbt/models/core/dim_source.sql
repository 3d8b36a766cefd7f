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
            cast(min(precedence) over (partition by publisher) as int) as publisher_precedence,
            covers_world,
            releases_are,
            kind
        from {{ ref("sources") }}
    )

select
    source,
    publisher,
    title,
    licence,
    url,
    citation,
    precedence,
    publisher_precedence,
    covers_world,
    releases_are,
    kind
from final
order by precedence
