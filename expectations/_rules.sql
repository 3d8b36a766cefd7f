-- name: unmapped_codes
select column_name, '_U' as code, count(*) as rows_found
from
    (
        select
            unnest(
                [
                    case reporter_code when '_U' then 'reporter_code' end,
                    case partner_code when '_U' then 'partner_code' end,
                    case sector_code when '_U' then 'sector_code' end,
                    case category_code when '_U' then 'category_code' end,
                    case affiliation_code when '_U' then 'affiliation_code' end,
                    case region_code when '_U' then 'region_code' end
                ]
            ) as column_name
        from $batch
        where
            '_U' in (
                reporter_code,
                partner_code,
                sector_code,
                category_code,
                affiliation_code,
                region_code
            )
    ) as unmapped
where column_name is not null
group by column_name
order by rows_found desc, column_name
;

-- name: figures_out_of_range
select source, release_date, file_name, sheet_name, row_number, column_name, value
from $batch
where value not between $low and $high
;

-- name: unknown_codes
select '$column' as column_name, $column as code, count(*) as rows_found
from $batch
where $where
group by code
order by rows_found desc, column_name, code
;

-- name: unknown_derived_codes
select '$column' as column_name, $code as code, count(*) as rows_found
from $batch
where $where
group by code
order by rows_found desc, column_name, code
;

-- name: a_fifth_fewer_rows
select new.rows_found, old.release_before, old.rows_before
from
    (select count(*) as rows_found from $batch) as new,
    (select count(*) as rows_before, max(_release) as release_before from $previous) as old
where new.rows_found * 5 < old.rows_before * 4
;

-- name: a_fifth_fewer_codes
with
    before as (select distinct $column as code from $previous),
    gone as (
        select code
        from before
        where code not in (select $column from $batch where $column is not null)
    )
select code as missing
from gone
where (select count(*) from gone) * 5 > (select count(*) from before)
order by code
;

-- name: a_fifth_fewer_codes_with_figures
with
    before as (select distinct $column as code from $previous where value is not null),
    gone as (
        select code
        from before
        where
            code not in (select $column from $batch where $column is not null and value is not null)
    )
select code as missing
from gone
where (select count(*) from gone) * 5 > (select count(*) from before)
order by code
;

-- name: shares_above_100
select
    reporter_code,
    $dimension,
    period,
    source,
    concept,
    receipts_usd_m,
    payments_usd_m,
    share_of_receipts_pct,
    share_of_payments_pct
from $batch
where share_of_receipts_pct > 101 or share_of_payments_pct > 101
;

-- name: ranked_shares_above_100
select
    reporter_code,
    period,
    source,
    concept,
    sum(share_of_receipts_pct) as receipts_pct,
    sum(share_of_payments_pct) as payments_pct
from
    (
        select
            *,
            member_kind
            not in ('total', 'aggregate', 'residual', 'group', 'other', 'unallocated') as ranked
        from $batch
    ) as parts
where $parts
group by reporter_code, period, source, concept
having sum(share_of_receipts_pct) > 101 or sum(share_of_payments_pct) > 101
;

-- name: ranks_out_of_competitors
select $key, rank_by_receipts, receipts_ranked_among, rank_by_payments, payments_ranked_among
from $batch
where
    (rank_by_receipts is null) <> (receipts_ranked_among is null)
    or (rank_by_payments is null) <> (payments_ranked_among is null)
    or rank_by_receipts not between 1
    and receipts_ranked_among
    or rank_by_payments not between 1
    and payments_ranked_among
    or least(receipts_ranked_among, payments_ranked_among) < $fewest
;

-- name: total_not_100_or_ranked
select
    reporter_code,
    $dimension,
    period,
    source,
    concept,
    share_of_receipts_pct,
    share_of_payments_pct,
    rank_by_receipts
from $batch
where
    $dimension = '$total'
    and (
        abs(coalesce(share_of_receipts_pct, 100) - 100) > 0.001
        or abs(coalesce(share_of_payments_pct, 100) - 100) > 0.001
        or rank_by_receipts is not null
        or rank_by_payments is not null
    )
;

-- name: cells_no_number_and_no_mark
select $columns
from $batch
where
    $cell is not null
    and not regexp_full_match($cell, $mark)
    and coalesce(
        not regexp_full_match($cell, '$number')
        or try_cast(replace($cell, ',', '') as decimal(18, 6)) is null,
        true
    )
;

-- name: cells_no_sdmx_number_and_no_mark
with
    cells as (
        select _file, _row, _column, value, trim(replace(coalesce(value, ''), '@', ' ')) as cell
        from $batch
    )
select _file, _row, _column, value
from cells
where
    not (
        split_part(cell, ' ', 1) in ('', ':', 'NaN')
        or (
            regexp_full_match(
                split_part(cell, ' ', 1), '-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,2})?'
            )
            and coalesce(abs(try_cast(split_part(cell, ' ', 1) as double)) < 1e15, false)
        )
    )
    or not regexp_full_match(substr(cell, length(split_part(cell, ' ', 1)) + 1), '[A-Za-z ]*')
;

-- name: labels_other_than_mapped
select distinct
    _file,
    _sheet,
    _row,
    $code as code,
    country as label,
    labels.economy_code as mapped_to,
    concat_ws(
        ',',
        _source,
        $code,
        coalesce(labelled.economy_code, '<its economy>'),
        coalesce(labelled.label_contains, '<text of the label>'),
        _release,
        coalesce(cast(nullif(labels.valid_to, date '9999-12-31') as varchar), ''),
        ''
    ) as row_to_add
from $batch as cells
join
    $labels as labels(code, economy_code, label_contains, valid_from, valid_to)
    on $code = labels.code
    and _release >= labels.valid_from
    and _release < labels.valid_to
left join
    $labels as labelled(code, economy_code, label_contains, valid_from, valid_to)
    on $code = labelled.code
    and contains(lower(country), lower(labelled.label_contains))
where not coalesce(contains(lower(country), lower(labels.label_contains)), false)
order by _file, _row
;

-- name: status_without_its_value
select
    source,
    release_date,
    file_name,
    sheet_name,
    row_number,
    column_name,
    value,
    obs_status,
    conf_status
from $batch
where
    (value is null) <> (obs_status in ('Q', 'L', 'M', 'K', 'H', 'O'))
    or (obs_status = 'Q') <> (conf_status = 'C')
;

-- name: fewer_than_240_countries_or_no_world
select count(*) as countries, max(case when $column = 'WLD' then 1 else 0 end) as world
from $batch
where kind = 'country' or $column = 'WLD'
having count(*) < 240 or max(case when $column = 'WLD' then 1 else 0 end) = 0
;

-- name: breakdowns_that_do_not_add_up
with
    sums as (
        select
            reporter_code,
            period,
            source,
            release_date,
            currency,
            sum(receipts_usd_m) as receipts_usd_m,
            sum(payments_usd_m) as payments_usd_m,
            sum(balance_usd_m) as balance_usd_m,
            sum(receipts) as receipts,
            sum(payments) as payments,
            sum(balance) as balance,
            max(
                case when member_kind = 'unallocated' then receipts_usd_m end
            ) as rest_receipts_usd_m,
            max(
                case when member_kind = 'unallocated' then payments_usd_m end
            ) as rest_payments_usd_m,
            max(case when member_kind = 'unallocated' then balance_usd_m end) as rest_balance_usd_m,
            max(case when member_kind = 'unallocated' then receipts end) as rest_receipts,
            max(case when member_kind = 'unallocated' then payments end) as rest_payments,
            max(case when member_kind = 'unallocated' then balance end) as rest_balance
        from $batch
        group by reporter_code, period, source, release_date, currency
    ),
    totals as (
        select
            reporter_code,
            period,
            source,
            release_date,
            currency,
            cast(receipts_usd_m as decimal(18, 6)) as receipts_usd_m,
            cast(payments_usd_m as decimal(18, 6)) as payments_usd_m,
            case
                when balance_is_stated
                then cast(balance_usd_m as decimal(18, 6))
                when balance_usd_m is not null
                then cast(receipts_usd_m as decimal(18, 6)) - cast(payments_usd_m as decimal(18, 6))
            end as balance_usd_m,
            cast(receipts as decimal(18, 6)) as receipts,
            cast(payments as decimal(18, 6)) as payments,
            case
                when balance_is_stated
                then cast(balance as decimal(18, 6))
                when balance is not null
                then cast(receipts as decimal(18, 6)) - cast(payments as decimal(18, 6))
            end as balance
        from core.fct_royalty_flows
        where
            concept = 'BPM6_SH'
            and partner_code = 'WLD'
            and sector_code = '_T'
            and category_code = '_T'
            and affiliation_code = '_T'
            and region_code = '_T'
    )
select
    sums.reporter_code,
    sums.period,
    sums.source,
    sums.receipts,
    totals.receipts as total_receipts,
    sums.payments,
    totals.payments as total_payments,
    sums.balance,
    totals.balance as total_balance
from sums
left join totals using (reporter_code, period, source, release_date, currency)
where
    (totals.receipts_usd_m is null and sums.rest_receipts_usd_m is not null)
    or (
        totals.receipts_usd_m is not null
        and sums.receipts_usd_m is distinct from totals.receipts_usd_m
    )
    or (totals.payments_usd_m is null and sums.rest_payments_usd_m is not null)
    or (
        totals.payments_usd_m is not null
        and sums.payments_usd_m is distinct from totals.payments_usd_m
    )
    or (totals.balance_usd_m is null and sums.rest_balance_usd_m is not null)
    or (
        totals.balance_usd_m is not null
        and sums.balance_usd_m is distinct from totals.balance_usd_m
    )
    or (totals.receipts is null and sums.rest_receipts is not null)
    or (totals.receipts is not null and sums.receipts is distinct from totals.receipts)
    or (totals.payments is null and sums.rest_payments is not null)
    or (totals.payments is not null and sums.payments is distinct from totals.payments)
    or (totals.balance is null and sums.rest_balance is not null)
    or (totals.balance is not null and sums.balance is distinct from totals.balance)
;

-- name: breakdowns_that_mix
select
    reporter_code,
    period,
    count(distinct source) as sources,
    sum(case when member_kind = 'unallocated' then 1 else 0 end) as rests
from $batch
group by reporter_code, period
having
    count(distinct source) > 1
    or count(distinct release_date) > 1
    or count(distinct currency) > 1
    or sum(case when member_kind = 'unallocated' then 1 else 0 end) <> 1
;

-- name: country_totals_not_stated
with
    totals as (
        select
            reporter_code,
            period,
            source,
            release_date,
            currency,
            cast(receipts_usd_m as decimal(18, 6)) as receipts_usd_m,
            cast(payments_usd_m as decimal(18, 6)) as payments_usd_m,
            case
                when balance_is_stated
                then cast(balance_usd_m as decimal(18, 6))
                when balance_usd_m is not null
                then cast(receipts_usd_m as decimal(18, 6)) - cast(payments_usd_m as decimal(18, 6))
            end as balance_usd_m,
            cast(receipts as decimal(18, 6)) as receipts,
            cast(payments as decimal(18, 6)) as payments,
            case
                when balance_is_stated
                then cast(balance as decimal(18, 6))
                when balance is not null
                then cast(receipts as decimal(18, 6)) - cast(payments as decimal(18, 6))
            end as balance
        from core.fct_royalty_flows
        where
            concept = 'BPM6_SH'
            and partner_code = 'WLD'
            and sector_code = '_T'
            and category_code = '_T'
            and affiliation_code = '_T'
            and region_code = '_T'
    )
select
    flows.reporter_code,
    flows.period,
    flows.source,
    flows.receipts,
    totals.receipts as total_receipts,
    flows.payments,
    totals.payments as total_payments
from
    (
        select *, count(*) over (partition by reporter_code, period) as rows_found from $batch
    ) as flows
left join totals using (reporter_code, period, source, release_date, currency)
where
    flows.rows_found > 1
    or totals.source is null
    or flows.receipts_usd_m is distinct from totals.receipts_usd_m
    or flows.payments_usd_m is distinct from totals.payments_usd_m
    or flows.balance_usd_m is distinct from totals.balance_usd_m
    or flows.receipts is distinct from totals.receipts
    or flows.payments is distinct from totals.payments
    or flows.balance is distinct from totals.balance
;
