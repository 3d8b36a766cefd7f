{%- set kinds = {
    "reported": "Reported_value",
    "final": "Final_value",
    "balanced": "Balanced_value",
} %}
with
    -- Raw may hold all service items; the facts are about intellectual property.
    observations as (
        select raw_rows.*
        from ({{ accepted_rows(source("raw", "oecd_wto_batis__observations")) }}) as raw_rows
        where raw_rows.item_code like 'SH%'
    ),

    value_kinds as (
        {%- for kind, header in kinds.items() %}
            select
                '{{ kind }}' as value_kind,
                '{{ header }}' as column_name
                {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    -- One scan of a bulk table for the three values of a record.
    values_apart as (
        select
            observations.*,
            value_kinds.value_kind,
            value_kinds.column_name,
            case
                value_kinds.value_kind
                {%- for kind in kinds %}
                    when '{{ kind }}' then observations.{{ kind }}_value
                {%- endfor %}
            end as value_text
        from observations
        cross join value_kinds
    ),

    -- As a code, NA is Namibia; in the reported value it marks a missing one. Values not reported
    -- (19 in 20) get no row: the methodology of the final value says so. OECD and WTO adjust
    -- reported values for consistency, so a final value is normal only where it equals the reported
    -- one; any value that they changed or filled in is an estimate.
    final as (
        select
            reporter,
            partner,
            case
                when flow in ('X', 'EXP') then 'receipts' when flow in ('M', 'IMP') then 'payments'
            end as flow,
            item_code,
            year as period,
            value_kind,
            {{ number_in("value_text") }} as value,
            methodology,
            case
                when value_kind = 'reported'
                then 'A'
                when
                    value_kind = 'final'
                    and methodology like 'R%'
                    and cast(final_value as double) = cast(nullif(reported_value, 'NA') as double)
                then 'A'
                else 'E'
            end as obs_status,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            column_name
        from values_apart
        where value_text is not null and value_text <> 'NA'
    )

select *
from final
