/*
title: Sources with a current release
columns:
  source: [Source, code]
  publisher: Publisher
  title: [Title, link]
  licence: Licence
  citation: Cite as
  releases: Releases
  latest_release: [Latest, date]
*/
select
    source,
    publisher,
    title,
    url,
    licence,
    citation,
    count(*) as releases,
    max(release_date) as latest_release
from core.dim_source
inner join core.dim_release using (source)
group by source, publisher, title, url, licence, citation
order by source
