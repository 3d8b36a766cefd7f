-- The same work by hand: one BaTIS file from CSV to a published file, as plain DuckDB SQL.
--
-- floor.py fills in the parameters: $csv, $seeds, $iso, $keep and the rest. `work` is the workbench,
-- `candidate` the file that is published. Logic that the pipeline has for several sources (rates of
-- other currencies, the choice among sources) is reduced here to this one source; compare.py compares
-- the results row for row.

create schema work.raw;

create table work.raw.oecd_wto_batis__observations as
select
    *,
    'oecd_wto_batis' as _source,
    date '$release' as _release,
    '$file' as _file,
    cast(null as varchar) as _sheet,
    cast(null as bigint) as _row,
    current_timestamp::timestamp as _loaded_at
from read_csv(
    '$csv',
    columns = {
        'reporter': 'VARCHAR', 'type_reporter': 'VARCHAR', 'partner': 'VARCHAR',
        'type_partner': 'VARCHAR', 'flow': 'VARCHAR', 'item_code': 'VARCHAR', 'type_item': 'VARCHAR',
        'year': 'VARCHAR', 'reported_value': 'VARCHAR', 'final_value': 'VARCHAR',
        'methodology': 'VARCHAR', 'balanced_value': 'VARCHAR'
    },
    auto_detect = false, header = false, skip = 1, delim = ',', quote = '"', escape = '"'
)
where $keep;

-- The gate on raw. Every `gate` row must say 0.
create table work.gates (gate varchar, failing bigint);

create temp table alpha as
select
    alpha_2 as iso2,
    alpha_3 as economy_code,
    coalesce(common_name, name) as economy_name,
    'country' as kind,
    "numeric" as m49
from (select unnest("3166-1", recursive := true) from read_json('$iso'));

create temp table economies as
select economy_code, economy_name, kind, case kind when 'country' then economy_code end as iso3, iso2, m49
from alpha
union all by name
select economy_code, economy_name, kind, case kind when 'country' then economy_code end as iso3, iso2, m49
from read_csv('$seeds/economies.csv', all_varchar = true);

create temp table members as
select economy_code, string_split(members, '+') as members
from read_csv('$seeds/economies.csv', all_varchar = true)
where kind = 'aggregate' and members is not null;

-- A code of the file -> code of the warehouse.
create temp table codes as
select source_code, economy_code
from read_csv('$seeds/economy_code_map.csv', all_varchar = true)
where source = 'oecd_wto_batis'
union
select economy_code, economy_code from economies
union
select iso2, economy_code from economies where iso2 is not null;

insert into work.gates
with raw as (from work.raw.oecd_wto_batis__observations)
select 'codes', count(*) filter (
    reporter not in (select source_code from codes) or partner not in (select source_code from codes)
    or reporter is null or partner is null
) from raw
union all
select 'lists', count(*) filter (coalesce(
    flow not in ('X', 'M', 'EXP', 'IMP') or type_reporter not in ('c', 'g')
    or type_partner not in ('c', 'g') or methodology is null, true
)) from raw
union all
select 'values', count(*) filter (
    coalesce(abs(try_cast(final_value as double)) >= 1e7, true)
    or coalesce(abs(try_cast(balanced_value as double)) >= 1e7, true)
    or (
        reported_value is not null and reported_value <> 'NA'
        and coalesce(abs(try_cast(reported_value as double)) >= 1e7, true)
    )
) from raw
union all
select 'years', count(*) filter (coalesce(
    not regexp_full_match(year, '(19|20)[0-9]{2}') or cast(year as integer) > year(_release), true
)) from raw
union all
select 'keys', count(*) from (
    select 1 from raw group by reporter, partner, flow, item_code, year having count(*) > 1
);

create schema candidate.core;
create schema candidate.marts;
create schema candidate.audit;

create table candidate.core.dim_reporter as
select economy_code as reporter_code, economy_name as reporter_name, kind, iso3, iso2, m49
from economies order by 1;
create table candidate.core.dim_partner as
select economy_code as partner_code, economy_name as partner_name, kind, iso3, iso2, m49
from economies order by 1;
create table candidate.core.dim_source as from read_csv('$seeds/sources.csv');
create table candidate.core.dim_sector as from read_csv('$seeds/sectors.csv');
create table candidate.core.dim_category as from read_csv('$seeds/categories.csv');
create table candidate.core.dim_affiliation as from read_csv('$seeds/affiliations.csv');
create table candidate.core.dim_concept as from read_csv('$seeds/concepts.csv');

create table candidate.core.fct_royalty_observations as
select
    raw._source as source,
    raw._release as release_date,
    reporters.economy_code as reporter_code,
    partners.economy_code as partner_code,
    '_T' as sector_code,
    '_T' as category_code,
    '_T' as affiliation_code,
    '_T' as region_code,
    kinds.concept,
    raw.year as period,
    'A' as frequency,
    case when raw.flow in ('X', 'EXP') then 'receipts' else 'payments' end as flow,
    cast(kinds.text as decimal(38, 21)) as value,
    'USD' as currency,
    value as value_usd_m,
    false as rate_is_missing,
    cast(0 as decimal(38, 21)) as rounding,
    '=' as comparator,
    1 as statement_number,
    case
        when kinds.concept = 'BATIS_REPORTED' then 'A'
        when
            kinds.concept = 'BPM6_SH' and raw.methodology like 'R%'
            and cast(raw.final_value as double) = cast(nullif(raw.reported_value, 'NA') as double)
        then 'A'
        else 'E'
    end as obs_status,
    'F' as conf_status,
    raw._file as file_name,
    raw._sheet as sheet_name,
    raw._row as row_number,
    kinds.header as column_name
from work.raw.oecd_wto_batis__observations as raw
join codes as reporters on raw.reporter = reporters.source_code
join codes as partners on raw.partner = partners.source_code
cross join lateral (
    values
        ('BATIS_REPORTED', 'Reported_value', nullif(raw.reported_value, 'NA')),
        ('BPM6_SH', 'Final_value', raw.final_value),
        ('BATIS_BALANCED', 'Balanced_value', raw.balanced_value)
) as kinds(concept, header, text)
where kinds.text is not null and raw.item_code = 'SH'
order by reporter_code, period, source, release_date;

create table candidate.core.dim_period as
select distinct
    period,
    frequency,
    'annual' as frequency_name,
    period::int as year,
    make_date(period::int, 1, 1) as start_date,
    make_date(period::int, 12, 31) as end_date,
    (period::int - 1)::varchar as year_before
from candidate.core.fct_royalty_observations
order by 1;

create table candidate.core.fct_royalty_flows as
select
    reporter_code, partner_code, sector_code, category_code, affiliation_code, region_code, concept,
    period, frequency, source, max(release_date) as release_date, currency,
    max(value) filter (flow = 'receipts') as receipts,
    max(value) filter (flow = 'payments') as payments,
    cast(receipts - payments as decimal(38, 21)) as balance,
    cast(receipts + payments as decimal(38, 21)) as total_trade,
    receipts as receipts_usd_m,
    payments as payments_usd_m,
    balance as balance_usd_m,
    total_trade as total_trade_usd_m,
    false as balance_is_stated,
    false as is_computed,
    false as rate_is_missing,
    max(obs_status) filter (flow = 'receipts') as receipts_status,
    max(obs_status) filter (flow = 'payments') as payments_status,
    cast(null as varchar) as balance_status,
    max(comparator) filter (flow = 'receipts') as receipts_comparator,
    max(comparator) filter (flow = 'payments') as payments_comparator,
    case when balance is not null then '=' end as balance_comparator
from candidate.core.fct_royalty_observations
group by
    reporter_code, partner_code, sector_code, category_code, affiliation_code, region_code, concept,
    period, frequency, source, currency
order by reporter_code, period, source, partner_code, concept;

-- As marts show it. The only currency is the US dollar.
create temp table money as
select
    reporter_code, partner_code, sector_code, category_code, affiliation_code, region_code, concept,
    period, frequency, source, release_date, currency,
    cast(receipts_usd_m as decimal(18, 6)) as receipts_usd_m,
    cast(payments_usd_m as decimal(18, 6)) as payments_usd_m,
    cast(balance_usd_m as decimal(18, 6)) as balance_usd_m,
    cast(receipts_usd_m as decimal(18, 6)) as receipts,
    cast(payments_usd_m as decimal(18, 6)) as payments,
    cast(balance_usd_m as decimal(18, 6)) as balance,
    receipts_status,
    payments_status,
    case
        when receipts_status is null or payments_status is null then null
        when receipts_status = 'A' then payments_status
        else receipts_status
    end as balance_status,
    receipts_comparator, payments_comparator, balance_comparator
from candidate.core.fct_royalty_flows;

create temp table totals as
select concept, reporter_code, period, receipts_usd_m, payments_usd_m, balance_usd_m
from money where partner_code = 'WLD';

$balance_marts

-- A country without a figure that had one the year before may still be where it was.
create table candidate.marts.mart_world_ranking as
with
    ranked as (
        select money.*, reporters.reporter_name, reporters.kind as reporter_kind
        from money
        join candidate.core.dim_reporter as reporters using (reporter_code)
        where reporters.kind = 'country' and money.partner_code = 'WLD'
    ),
    blank as (
        select
            periods.concept, periods.period,
            max(before.receipts_usd_m) filter (ranked.receipts_usd_m is null) as blank_receipts,
            max(before.payments_usd_m) filter (ranked.payments_usd_m is null) as blank_payments,
            max(before.balance_usd_m) filter (ranked.balance_usd_m is null) as blank_balance
        from (select distinct concept, period from ranked) as periods
        join ranked as before
            on periods.concept = before.concept and (periods.period::int - 1)::varchar = before.period
        left join ranked
            on periods.concept = ranked.concept and periods.period = ranked.period
            and before.reporter_code = ranked.reporter_code
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
        left join blank using (concept, period)
        window statement as (partition by concept, period)
    )
select
    period, frequency, reporter_code, reporter_name, reporter_kind, source, release_date, concept,
    true as preferred, receipts_usd_m, payments_usd_m, balance_usd_m, currency, receipts, payments,
    balance, receipts_status, payments_status, balance_status, receipts_comparator,
    payments_comparator, balance_comparator,
    case when ranks_by_receipts then rank() over (
        partition by concept, period order by receipts_usd_m desc nulls last) end as rank_by_receipts,
    case when ranks_by_receipts then receipts_among end as receipts_ranked_among,
    case when ranks_by_payments then rank() over (
        partition by concept, period order by payments_usd_m desc nulls last) end as rank_by_payments,
    case when ranks_by_payments then payments_among end as payments_ranked_among,
    case when ranks_by_balance then rank() over (
        partition by concept, period order by balance_usd_m desc nulls last) end as rank_by_balance,
    case when ranks_by_balance then balance_among end as balance_ranked_among,
    reporters_ranked,
    false as is_computed
from counted
order by period, source, concept, rank_by_receipts, reporter_code;

-- One source: its own total is the preferred one, so vintage and method explain nothing; US dollars
-- and exact numbers, so neither do currency and rounding.
create table candidate.marts.mart_mirror_asymmetry as
select
    receipts.period, receipts.frequency, receipts.concept,
    receipts.reporter_code as receiver_code, payments.reporter_code as payer_code,
    receipts.receipts_usd_m as receipts_stated_usd_m, receipts.source as receipts_source,
    receipts.release_date as receipts_release_date, receipts.receipts_status,
    payments.payments_usd_m as payments_stated_usd_m, payments.source as payments_source,
    payments.release_date as payments_release_date, payments.payments_status,
    cast(receipts.receipts_usd_m - payments.payments_usd_m as decimal(18, 6)) as asymmetry_usd_m,
    round(cast(200e0 * asymmetry_usd_m
        / nullif(abs(receipts.receipts_usd_m) + abs(payments.payments_usd_m), 0) as double), 4)
    as asymmetry_pct,
    cast(0 as decimal(18, 6)) as vintage_usd_m,
    cast(0 as decimal(18, 6)) as method_usd_m,
    cast(0 as decimal(18, 6)) as rounding_usd_m,
    cast(0 as decimal(18, 6)) as currency_usd_m,
    asymmetry_usd_m as unexplained_usd_m,
    cast(0 as decimal(18, 6)) as rounding_range_usd_m,
    cast(0 as decimal(18, 6)) as currency_range_usd_m,
    asymmetry_usd_m = 0 as is_within_uncertainty,
    'both stated' as comparison
from candidate.core.fct_royalty_flows as receipts
join candidate.core.fct_royalty_flows as payments
    on receipts.reporter_code = payments.partner_code
    and receipts.partner_code = payments.reporter_code
    and receipts.concept = payments.concept
    and receipts.period = payments.period
where
    receipts.receipts_usd_m is not null and payments.payments_usd_m is not null
    and receipts.reporter_code in (select reporter_code from candidate.core.dim_reporter where kind = 'country')
    and receipts.partner_code in (select reporter_code from candidate.core.dim_reporter where kind = 'country')
order by receiver_code, payer_code, period;

create table candidate.marts.mart_coverage as
with
    world as (
        select concept, reporter_code, period, flow, value_usd_m
        from candidate.core.fct_royalty_observations where partner_code = 'WLD'
    ),
    -- Countries and the rest of the world cover the total; a group only where none of its members
    -- is stated.
    parts as (
        select observations.*, partners.kind, members.members
        from candidate.core.fct_royalty_observations as observations
        join candidate.core.dim_partner as partners using (partner_code)
        left join members on observations.partner_code = members.economy_code
        where partner_code <> 'WLD'
    ),
    overlapping as (
        select distinct groups.concept, groups.reporter_code, groups.period, groups.flow, groups.partner_code
        from parts as groups
        join parts
            on groups.concept = parts.concept and groups.reporter_code = parts.reporter_code
            and groups.period = parts.period and groups.flow = parts.flow
            and list_contains(groups.members, parts.partner_code)
        where groups.members is not null
    ),
    counted as (
        select
            source, concept, reporter_code, period, frequency, flow, 'partner' as dimension,
            count(*) as figures_stated,
            sum(value_usd_m) filter (
                kind in ('country', 'unallocated')
                or (members is not null and overlapping.partner_code is null)
            ) as covered_usd_m
        from parts
        left join overlapping using (concept, reporter_code, period, flow, partner_code)
        group by all
        union all
        select source, concept, reporter_code, period, frequency, flow, 'total', 1, value_usd_m
        from candidate.core.fct_royalty_observations where partner_code = 'WLD'
    )
select
    source, concept, reporter_code, period, frequency, flow, dimension, figures_stated,
    0::bigint as figures_suppressed,
    0::bigint as figures_missing,
    0::bigint as parts_withheld,
    cast(counted.covered_usd_m as decimal(18, 6)) as covered_usd_m,
    cast(world.value_usd_m as decimal(18, 6)) as total_usd_m,
    cast(total_usd_m - covered_usd_m as decimal(18, 6)) as uncovered_usd_m,
    round(cast(100e0 * counted.covered_usd_m / nullif(world.value_usd_m, 0) as double), 4) + 0e0
    as coverage_pct
from counted
left join world using (concept, reporter_code, period, flow)
order by reporter_code, period, source, concept, flow, dimension;

create table candidate.marts.mart_revisions as
select * exclude (newest)
from (
    select
        *,
        lag(release_date) over series as previous_release_date,
        lag(value) over series as previous_value,
        row_number() over series as newest
    from candidate.core.fct_royalty_observations
    window series as (
        partition by reporter_code, partner_code, concept, period, flow order by release_date
    )
)
where previous_release_date is not null;

-- The gates on the models: the rules of the suites and the data tests, in as few scans as possible.
insert into work.gates
select 'observations', count(*) filter (
    value is null or value is distinct from value_usd_m or period::int > year(release_date)
    or flow not in ('receipts', 'payments') or obs_status not in ('A', 'E')
)
from candidate.core.fct_royalty_observations
union all
select 'observations are unique', count(*) from (
    select 1 from candidate.core.fct_royalty_observations
    group by reporter_code, partner_code, concept, period, flow having count(*) > 1
)
union all
select 'every code is in its dimension', count(*) from candidate.core.fct_royalty_observations as facts
where not exists (from candidate.core.dim_reporter as d where d.reporter_code = facts.reporter_code)
or not exists (from candidate.core.dim_partner as d where d.partner_code = facts.partner_code)
or not exists (from candidate.core.dim_concept as d where d.concept = facts.concept)
or not exists (from candidate.core.dim_period as d where d.period = facts.period)
union all
select 'negative receipts', count(*) from (
    select 1 from candidate.core.fct_royalty_observations group by release_date
    having count(*) filter (value < 0) > greatest(1, count(*) / 100)
)
union all
select 'flows', count(*) filter (
    balance <> receipts - payments
    or (reporter_code in (select reporter_code from candidate.core.dim_reporter where kind = 'country')
        and greatest(abs(receipts_usd_m), abs(payments_usd_m)) > 500000)
) from candidate.core.fct_royalty_flows
union all
select 'countries add up to no more than the world', count(*) from (
    select 1
    from candidate.core.fct_royalty_observations as countries
    join candidate.core.dim_partner as partners using (partner_code)
    join candidate.core.fct_royalty_observations as world
        on countries.concept = world.concept and countries.reporter_code = world.reporter_code
        and countries.flow = world.flow and countries.period = world.period
        and world.partner_code = 'WLD'
    where partners.kind = 'country' and countries.concept in ('BPM6_SH', 'BATIS_BALANCED')
    group by countries.concept, countries.reporter_code, countries.flow, countries.period
    having sum(countries.value) > max(world.value) * 1.01 + 1
)
union all
select 'exports are the mirror imports', count(*)
from candidate.core.fct_royalty_observations as exports
join candidate.core.fct_royalty_observations as imports
    on exports.period = imports.period and exports.reporter_code = imports.partner_code
    and exports.partner_code = imports.reporter_code
where
    exports.concept = 'BATIS_BALANCED' and imports.concept = 'BATIS_BALANCED'
    and exports.flow = 'receipts' and imports.flow = 'payments'
    and abs(exports.value - imports.value) > 0.001
union all
select 'every record has its values', count(*) from (
    select 1 from candidate.core.fct_royalty_observations
    group by reporter_code, partner_code, period, flow
    having count(*) filter (concept = 'BPM6_SH') <> 1 or count(*) filter (concept = 'BATIS_BALANCED') <> 1
)
union all
select 'a balanced export is the balanced import', count(*)
from candidate.marts.mart_mirror_asymmetry where concept = 'BATIS_BALANCED' and abs(asymmetry_usd_m) > 0.01
union all
select 'shares', count(*) filter (share_of_receipts_pct > 101 or share_of_payments_pct > 101)
from candidate.marts.mart_balance_by_partner
union all
select 'ranked shares', count(*) from (
    select 1 from candidate.marts.mart_balance_by_partner where rank_by_receipts is not null
    group by reporter_code, period, concept
    having sum(share_of_receipts_pct) > 101 or sum(share_of_payments_pct) > 101
)
union all
select 'balances are unique', count(*) from (
    select 1 from candidate.marts.mart_balance_by_partner
    group by reporter_code, partner_code, period, source, concept having count(*) > 1
)
union all
select 'asymmetry', count(*) filter (
    receiver_code = payer_code
    or (least(receipts_stated_usd_m, payments_stated_usd_m) > 100
        and greatest(receipts_stated_usd_m, payments_stated_usd_m)
            > 100 * least(receipts_stated_usd_m, payments_stated_usd_m))
) from candidate.marts.mart_mirror_asymmetry
union all
select 'asymmetry is unique', count(*) from (
    select 1 from candidate.marts.mart_mirror_asymmetry
    group by period, concept, receiver_code, payer_code having count(*) > 1
)
union all
select 'coverage', count(*) filter (coverage_pct > 101) from candidate.marts.mart_coverage;

create table candidate.audit.gate_results as from work.gates;
