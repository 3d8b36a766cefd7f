-- name: unknown_tables_and_labels
select *
from
    (
        select 'table_code' as column_name, trim(table_code) as code, count(*) as rows_found
        from $batch
        where trim(table_code) not in $ons_itis_sector_codes
        group by code
        union all
        select
            'item' as column_name,
            coalesce(trim(right_group) || ': ', '') || trim(item) as code,
            count(*) as rows_found
        from $batch
        where coalesce(trim(right_group) || ': ', '') || trim(item) not in $ons_itis_category_codes
        group by code
    ) as unknown
order by rows_found desc, column_name, code
;

-- name: rows_without_their_key
select distinct _file, _sheet, _row, table_code, item, flow
from $batch
where
    coalesce(trim(flow) not in ('Exports', 'Imports', 'Balance'), true)
    or table_code is null
    or item is null
order by _sheet, _row
;

-- name: missing_lines
select max(_file) as _file, _sheet, trim(flow) as flow, period, count(*) as lines
from $batch
group by _sheet, trim(flow), period, trim(section)
having
    coalesce(
        count(*) < case
            trim(section) when 'Royalties and Licenses' then 5 when 'Intellectual Property' then 7
        end
        or count(distinct _row) <> count(*),
        true
    )
;

-- name: too_few_figures
select
    _file,
    count(*) as cells,
    sum(case when trim(value) = '-' or regexp_matches(value, '[0-9]') then 1 else 0 end) as figures
from $batch
group by _file
having
    sum(case when trim(value) = '-' or regexp_matches(value, '[0-9]') then 1 else 0 end) * 5
    < count(*) * 3
;
