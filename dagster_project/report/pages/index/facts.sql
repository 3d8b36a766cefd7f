/*
title: The warehouse in numbers
columns:
  observations: numbers stated
  sources: sources
  releases: current releases
  countries: reporting countries
  newest_release: [newest release, date]
*/
select
    (select count(*) from core.fct_royalty_observations) as observations,
    (select count(distinct source) from core.fct_royalty_observations) as sources,
    (
        select count(*)
        from core.dim_release
        where source in (select source from core.fct_royalty_observations)
    ) as releases,
    (
        select count(distinct reporter_code)
        from core.fct_royalty_flows
        inner join core.dim_reporter using (reporter_code)
        where kind = 'country'
    ) as countries,
    (select max(release_date) from core.fct_royalty_observations) as newest_release
