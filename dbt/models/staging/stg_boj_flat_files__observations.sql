-- The structure names item, part or area, and flow, in Japanese or English:
-- サービス/その他サービス/知的財産権等使用料/アメリカ合衆国/受取. Monthly files break the world down by
-- type of right, quarterly files break the total down by area.
with
    observations as ({{ accepted_rows(source("raw", "boj_flat_files__observations")) }}),

    -- A file with a period that ends in 05, 07, 08, 10 or 11 is monthly. Of the others, those with
    -- 06, 09 or 12 give the last month of a quarter, the rest its number.
    parsed as (
        select
            code,
            structure,
            trim(split_part(structure, '/', -2)) as detail,
            lower(trim(split_part(structure, '/', -1))) as flow_name,
            substr(_column, 1, 4) as year,
            substr(_column, 5, 2) as part_of_year,
            max(
                case
                    substr(_column, 5, 2)
                    when '05'
                    then 2
                    when '07'
                    then 2
                    when '08'
                    then 2
                    when '10'
                    then 2
                    when '11'
                    then 2
                    when '06'
                    then 1
                    when '09'
                    then 1
                    when '12'
                    then 1
                    else 0
                end
            ) over (partition by _release, _file) as period_form,
            value as cell,
            case when value in ('', 'NA', 'ND') then null else value end as figure,
            _source,
            _release,
            _file,
            _sheet,
            _row,
            _column
        from observations
    ),

    final as (
        select
            code,
            structure,
            case
                when
                    period_form < 2
                    or detail like '%知的財産権%'
                    or lower(detail) like '%intellectual property%'
                then '_T'
                when detail like '%産業財産権%' or lower(detail) like '%industrial property%'
                then 'IND_PROP'
                when detail like '%著作権%' or lower(detail) like '%copyright%'
                then 'COPYRIGHT'
                else detail
            end as category,
            case when period_form < 2 then detail else 'WLD' end as partner,
            case
                when flow_name = '受取' or flow_name like 'credit%' or flow_name like 'receipt%'
                then 'receipts'
                when flow_name = '支払' or flow_name like 'debit%' or flow_name like 'payment%'
                then 'payments'
                when flow_name = 'ネット' or flow_name like 'net%'
                then 'balance'
            end as flow,
            year
            || '-'
            || case
                period_form
                when 2
                then part_of_year
                when 1
                then 'Q' || cast(cast(cast(part_of_year as int) / 3 as int) as string)
                else 'Q' || cast(cast(part_of_year as int) as string)
            end as period,
            {{ number_in("figure") }} as value,
            {{ last_digit("figure") }} as rounding,
            {{ status_of_cell("cell", {"NA": "L"}) }} as obs_status,
            'F' as conf_status,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            _column as column_name
        from parsed
    )

select *
from final
