-- name: members_above_their_aggregate
with
    whole as (
        select
            observations.release_date,
            observations.period,
            observations.flow,
            observations.partner_code as whole_code,
            economies.members
        from $batch as observations
        join
            intermediate.int_economies as economies
            on observations.partner_code = economies.economy_code
        where economies.kind = 'aggregate' and observations.value is not null
    )
select
    source,
    terms.release_date,
    whole_code,
    terms.period,
    sum(case when partner_code = whole_code then value end) as whole,
    sum(case when partner_code <> whole_code then value end) as parts
from whole
join
    $batch as terms
    on whole.release_date = terms.release_date
    and whole.period = terms.period
    and whole.flow = terms.flow
    and (
        terms.partner_code = whole_code
        or list_contains(string_split(members, '+'), terms.partner_code)
    )
group by source, terms.release_date, whole_code, terms.period
having sum(case when partner_code = whole_code then - value else value end) > $tolerance
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
    or (conf_status = 'C' and value is not null)
    or flow is distinct from 'receipts'
;
