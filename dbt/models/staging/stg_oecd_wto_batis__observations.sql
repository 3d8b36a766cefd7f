{%- set kinds = {
    "reported": "Reported_value",
    "final": "Final_value",
    "balanced": "Balanced_value",
} %}
with
    observations as ({{ accepted(source("raw", "oecd_wto_batis__observations")) }}),

    -- As a code NA is Namibia; in the reported value alone it is a mark for none. What
    -- is not reported (19 in 20) gets no row: the methodology of the final value says so.
    final as (
        {%- for kind, header in kinds.items() %}
            select
                reporter,
                partner,
                case
                    when flow in ('X', 'EXP')
                    then 'receipts'
                    when flow in ('M', 'IMP')
                    then 'payments'
                end as flow,
                item_code,
                observations.year as period,
                '{{ kind }}' as value_kind,
                cast(nullif({{ kind }}_value, 'NA') as decimal(38, 10)) as value,
                methodology,
                {% if kind == "reported" -%} 'A'
                {%- elif kind == "balanced" -%} 'E'
                {%- else -%} case when methodology like 'R%' then 'A' else 'E' end
                {%- endif %} as obs_status,
                _source as source,
                _release as release_date,
                _file as file_name,
                _sheet as sheet_name,
                _row as row_number,
                '{{ header }}' as column_name
            from observations
            where
                {{ kind }}_value is not null and {{ kind }}_value <> 'NA'
                {{ "union all" if not loop.last }}
        {%- endfor %}
    )

select *
from final
