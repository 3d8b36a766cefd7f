-- One more release of the World Bank by hand, into a copy of the published file: its raw rows, its
-- rows in facts and marts, the gates' rules on what changed. small_floor.py fills in $csv, $release.

create schema work.raw;

create table work.raw.cells as
with
    lines as (
        select row_number() over () + 5 as row_number, *
        from read_csv('$csv', all_varchar = true, skip = 4, header = true, parallel = false)
    ),
    cells as (
        unpivot (select * exclude ("Country Name", "Indicator Name", $empty) from lines)
        on columns(* exclude ("Country Code", "Indicator Code", row_number))
        into name column_name value value
    )
select
    "Country Code" as country_code,
    "Indicator Code" as indicator_code,
    column_name,
    value,
    row_number
from cells
where "Indicator Code" in ('BX.GSR.ROYL.CD', 'BM.GSR.ROYL.CD');

create table work.gates (gate varchar, failing bigint);

insert into work.gates
select 'codes', count(*) from work.raw.cells
where country_code is null or country_code not in (select reporter_code from candidate.core.dim_reporter)
union all
select 'numbers', count(*) from work.raw.cells
where value <> '..' and coalesce(
    not regexp_full_match(value, '-?[0-9]+([.][0-9]+)?([eE]([+]?(0?[0-9]|1[0-3])|-[0-9]{1,2}))?')
    or abs(try_cast(value as double)) >= 1e13, true)
union all
select 'years', count(*) from work.raw.cells where try_cast(left(column_name, 4) as int) > year(date '$release')
union all
select 'keys', count(*) from (
    select 1 from work.raw.cells group by country_code, indicator_code, column_name having count(*) > 1
)
union all
select 'economies', count(*) from (
    select 1
    from
        (select count(distinct country_code) as now from work.raw.cells),
        (
            select count(distinct reporter_code) as before from candidate.core.fct_royalty_flows
            where source = 'worldbank_wdi'
        )
    where now * 5 < before * 4
)
union all
select 'figures', count(*) from (
    select 1 from work.raw.cells having count(nullif(value, '..')) * 10 < count(*)
);

insert into candidate.core.fct_royalty_observations by name
select
    'worldbank_wdi' as source, date '$release' as release_date, country_code as reporter_code,
    'WLD' as partner_code, '_T' as sector_code, '_T' as category_code, '_T' as affiliation_code,
    '_T' as region_code, 'BPM6_SH' as concept, column_name as period, 'A' as frequency,
    case indicator_code when 'BX.GSR.ROYL.CD' then 'receipts' else 'payments' end as flow,
    cast(value as decimal(38, 21)) * 0.000001 as value,
    'USD' as currency,
    cast(value as decimal(38, 21)) * 0.000001 as value_usd_m,
    false as rate_is_missing,
    cast(power(10e0, -6 - length(split_part(value, '.', 2))) as decimal(38, 21)) as rounding,
    '=' as comparator,
    1 as statement_number, 'A' as obs_status, 'F' as conf_status, '$file' as file_name,
    cast(null as varchar) as sheet_name, row_number, column_name
from work.raw.cells
where value <> '..'
order by reporter_code, period, source, release_date, partner_code, flow;

create temp table stated as
from candidate.core.fct_royalty_observations
where source = 'worldbank_wdi' and release_date = date '$release';

insert into candidate.core.dim_release by name
select
    'worldbank_wdi' as source, date '$release' as release_date, 1 as files,
    count(distinct row_number) as rows_kept, true as is_latest
from work.raw.cells;
update candidate.core.dim_release set is_latest = false
where source = 'worldbank_wdi' and release_date < date '$release';

insert into candidate.core.dim_period by name
select distinct
    period, 'A' as frequency, 'annual' as frequency_name, period::int as year,
    make_date(period::int, 1, 1) as start_date, make_date(period::int, 12, 31) as end_date,
    (period::int - 1)::varchar as year_before
from stated
where period not in (select period from candidate.core.dim_period)
order by period;

delete from candidate.core.fct_royalty_flows where source = 'worldbank_wdi';
insert into candidate.core.fct_royalty_flows by name
select
    reporter_code, partner_code, sector_code, category_code, affiliation_code, region_code, concept,
    period, frequency, source, release_date, currency,
    max(value) filter (flow = 'receipts') as receipts,
    max(value) filter (flow = 'payments') as payments,
    cast(receipts - payments as decimal(38, 21)) as balance,
    cast(receipts + payments as decimal(38, 21)) as total_trade,
    receipts as receipts_usd_m, payments as payments_usd_m, balance as balance_usd_m,
    total_trade as total_trade_usd_m,
    false as balance_is_stated, false as is_computed, false as rate_is_missing,
    max(obs_status) filter (flow = 'receipts') as receipts_status,
    max(obs_status) filter (flow = 'payments') as payments_status,
    cast(null as varchar) as balance_status,
    max(comparator) filter (flow = 'receipts') as receipts_comparator,
    max(comparator) filter (flow = 'payments') as payments_comparator,
    case when balance is not null then '=' end as balance_comparator
from stated
group by all
order by reporter_code, period;

create temp table money as
select
    reporters.kind as reporter_kind, reporters.reporter_name, flows.reporter_code, concept, period,
    frequency, source, release_date, currency,
    cast(receipts_usd_m as decimal(18, 6)) as receipts_usd_m,
    cast(payments_usd_m as decimal(18, 6)) as payments_usd_m,
    cast(receipts_usd_m as decimal(18, 6)) - cast(payments_usd_m as decimal(18, 6)) as balance_usd_m,
    cast(receipts_usd_m as decimal(18, 6)) as receipts,
    cast(payments_usd_m as decimal(18, 6)) as payments,
    cast(receipts_usd_m as decimal(18, 6)) - cast(payments_usd_m as decimal(18, 6)) as balance,
    receipts_status, payments_status,
    case when balance is not null then receipts_status end as balance_status,
    receipts_comparator, payments_comparator, balance_comparator, is_computed
from candidate.core.fct_royalty_flows as flows
join candidate.core.dim_reporter as reporters on flows.reporter_code = reporters.reporter_code
where source = 'worldbank_wdi';

create temp table totals as
select
    money.*,
    '_T' as sector_code, '_T' as category_code, '_T' as affiliation_code, '_T' as region_code,
    'WLD' as partner_code, 'total' as member_kind,
    case when money.receipts_usd_m <> 0 then 100e0 end as share_of_receipts_pct,
    case when money.payments_usd_m <> 0 then 100e0 end as share_of_payments_pct,
    case when money.balance_usd_m <> 0 then 100e0 end as share_of_balance_pct,
    round(cast(case when before.receipts_usd_m > 0 then
        100e0 * (money.receipts_usd_m - before.receipts_usd_m) / before.receipts_usd_m end as double), 4) + 0e0
    as receipts_growth_pct,
    round(cast(case when before.payments_usd_m > 0 then
        100e0 * (money.payments_usd_m - before.payments_usd_m) / before.payments_usd_m end as double), 4) + 0e0
    as payments_growth_pct,
    receipts_growth_pct as receipts_growth_stated_pct,
    payments_growth_pct as payments_growth_stated_pct,
    cast(money.balance_usd_m - before.balance_usd_m as decimal(18, 6)) as balance_change_usd_m,
    false as previous_is_derived
from money
left join money as before
    on money.reporter_code = before.reporter_code and (money.period::int - 1)::varchar = before.period;

$balance_marts

delete from candidate.marts.mart_world_ranking where source = 'worldbank_wdi';
insert into candidate.marts.mart_world_ranking by name
with
    ranked as (from money where reporter_kind = 'country'),
    blank as (
        select
            periods.period,
            max(before.receipts_usd_m) filter (ranked.receipts_usd_m is null) as blank_receipts,
            max(before.payments_usd_m) filter (ranked.payments_usd_m is null) as blank_payments,
            max(before.balance_usd_m) filter (ranked.balance_usd_m is null) as blank_balance
        from (select distinct period from ranked) as periods
        join ranked as before on (periods.period::int - 1)::varchar = before.period
        left join ranked
            on periods.period = ranked.period and before.reporter_code = ranked.reporter_code
        group by all
    ),
    counted as (
        select
            ranked.*,
            count(receipts_usd_m) over statement as receipts_among,
            count(payments_usd_m) over statement as payments_among,
            count(balance_usd_m) over statement as balance_among,
            count(*) over statement as reporters_ranked,
            receipts_among >= 50 and receipts_usd_m > coalesce(blank_receipts, '-Infinity'::double)
            as ranks_by_receipts,
            payments_among >= 50 and payments_usd_m > coalesce(blank_payments, '-Infinity'::double)
            as ranks_by_payments,
            balance_among >= 50 and balance_usd_m > coalesce(blank_balance, '-Infinity'::double)
            as ranks_by_balance
        from ranked
        left join blank using (period)
        window statement as (partition by period)
    )
select
    * exclude (
        receipts_among, payments_among, balance_among, ranks_by_receipts, ranks_by_payments,
        ranks_by_balance
    ),
    true as preferred,
    case when ranks_by_receipts then rank() over (
        partition by period order by receipts_usd_m desc nulls last) end as rank_by_receipts,
    case when ranks_by_receipts then receipts_among end as receipts_ranked_among,
    case when ranks_by_payments then rank() over (
        partition by period order by payments_usd_m desc nulls last) end as rank_by_payments,
    case when ranks_by_payments then payments_among end as payments_ranked_among,
    case when ranks_by_balance then rank() over (
        partition by period order by balance_usd_m desc nulls last) end as rank_by_balance,
    case when ranks_by_balance then balance_among end as balance_ranked_among
from counted
order by period, rank_by_receipts, reporter_code;

delete from candidate.marts.mart_coverage where source = 'worldbank_wdi';
insert into candidate.marts.mart_coverage by name
select
    source, concept, reporter_code, period, frequency, flow, 'total' as dimension,
    1 as figures_stated, 0 as figures_suppressed, 0 as figures_missing, 0 as parts_withheld,
    cast(value_usd_m as decimal(18, 6)) as covered_usd_m, covered_usd_m as total_usd_m,
    cast(0 as decimal(18, 6)) as uncovered_usd_m,
    case when covered_usd_m <> 0 then 100e0 end as coverage_pct
from stated
order by reporter_code, period, flow;

delete from candidate.marts.mart_revisions where source = 'worldbank_wdi' and release_date = date '$release';
insert into candidate.marts.mart_revisions by name
select
    stated.reporter_code, stated.partner_code, stated.sector_code, stated.category_code,
    stated.affiliation_code, stated.region_code, stated.concept, stated.period, stated.frequency,
    stated.flow, stated.source, stated.release_date, before.release_date as previous_release_date,
    before.reporter_code as previous_reporter_code, before.partner_code as previous_partner_code,
    case
        when stated.value = before.value then 'unchanged'
        when 2 * abs(stated.value - before.value) < stated.rounding + before.rounding then 'unchanged'
        else 'changed'
    end as revision_kind,
    stated.currency, stated.value, before.value as previous_value,
    stated.value - before.value as change,
    round(cast(100e0 * (stated.value - before.value) / nullif(abs(before.value), 0) as double), 4) + 0e0
    as change_pct,
    true as has_same_members
from stated
join candidate.core.fct_royalty_observations as before
    using (reporter_code, partner_code, concept, period, flow, source)
where before.release_date = (
    select max(release_date) from candidate.core.dim_release
    where source = 'worldbank_wdi' and release_date < date '$release'
)
order by reporter_code, period, flow;

-- The gates on the models.
insert into work.gates
select 'observations', count(*) filter (
    value is null or value is distinct from value_usd_m or period::int > year(release_date)
    or flow not in ('receipts', 'payments') or obs_status not in ('A', 'E')
)
from stated
union all
select 'observations are unique', count(*) from (
    select 1 from stated
    group by reporter_code, partner_code, concept, period, flow having count(*) > 1
)
union all
select 'every code is in its dimension', count(*) from stated
where not exists (from candidate.core.dim_reporter as d where d.reporter_code = stated.reporter_code)
or not exists (from candidate.core.dim_period as d where d.period = stated.period)
union all
select 'negative receipts', count(*) from (
    select 1 from stated having count(*) filter (value < 0) > greatest(1, count(*) / 100)
)
union all
select 'flows', count(*) filter (
    balance <> receipts - payments or greatest(abs(receipts_usd_m), abs(payments_usd_m)) > 500000
) from candidate.core.fct_royalty_flows where source = 'worldbank_wdi'
union all
select 'rows lost', count(*) from (
    select 1 from (
        select
            count(*) filter (release_date = date '$release') as now,
            count(*) filter (release_date = (
                select max(release_date) from candidate.core.dim_release
                where source = 'worldbank_wdi' and release_date < date '$release'
            )) as before
        from candidate.core.fct_royalty_observations where source = 'worldbank_wdi'
    )
    where now * 5 < before * 4
)
union all
select 'the first', count(*) from candidate.marts.mart_world_ranking
where
    source = 'worldbank_wdi' and reporter_code = 'USA' and reporters_ranked > 50
    and period >= '1990' and rank_by_receipts > 3
union all
select 'shares', count(*) filter (share_of_receipts_pct > 101 or share_of_payments_pct > 101)
from candidate.marts.mart_balance_by_partner where source = 'worldbank_wdi'
union all
select 'coverage', count(*) filter (coverage_pct > 101)
from candidate.marts.mart_coverage where source = 'worldbank_wdi';
