/*
title: How a footnote names each source
*/
select source, publisher, title, releases_are, max(release_date) as latest
from core.dim_source
inner join core.dim_release using (source)
group by source, publisher, title, releases_are
