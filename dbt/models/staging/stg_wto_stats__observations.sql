{%- set flows = {"X": "receipts", "M": "payments"} %}
{%- set base = "replace(replace(replace(indicator_code, '_GR', ''), '5', ''), '6', '')" %}
with
    -- ITS_CS_AX6, _QM, _MX_GR: the letter after the frequency is the flow. The flow of an indicator
    -- with another form of code (such as an adjusted series) is not known, and it goes no further:
    -- the gate on raw names it. A program that saved the file may have removed the leading zeros of
    -- an economy's number.
    numbered as (
        select
            raw_rows.*,
            case
                {%- for letter, flow in flows.items() %}
                    when
                        {{ base }}
                        in ('ITS_CS_A{{ letter }}', 'ITS_CS_Q{{ letter }}', 'ITS_CS_M{{ letter }}')
                    then '{{ flow }}'
                {%- endfor %}
            end as flow,
            {%- for role in ["reporter", "partner"] %}
                case
                    when length({{ role }}_code) < 3
                    then lpad({{ role }}_code, 3, '0')
                    else {{ role }}_code
                end as {{ role }}_number
                {{- "," if not loop.last }}
            {%- endfor %}
        from ({{ accepted_rows(source("raw", "wto_stats__observations")) }}) as raw_rows
    ),

    -- The unit decides: money is a level, a percentage is a rate under the same item.
    final as (
        select
            indicator_code,
            reporter_number,
            partner_number,
            coalesce(reporter_iso3, reporter_number) as reporter,
            coalesce(partner_iso3, partner_number) as partner,
            case
                classification_code when 'BOP6' then 'BPM6_SH' when 'BOP5' then 'BPM5_ROYALTIES'
            end as concept,
            item_code,
            flow,
            case
                when period_code like 'Q%'
                then year || '-' || period_code
                when period_code like 'M%'
                then year || '-' || substr(period_code, 2)
                else year
            end as period,
            case
                unit_code when 'USM' then 'level' when 'YOY' then 'growth_pct' else 'other_pct'
            end as measure,
            {{ number_in("value") }} as value,
            {{ last_digit("value") }} as rounding,
            value || ' (' || unit || ')' as stated_as,
            case
                when value is null and coalesce(value_flag_code in ('L', 'M', 'K', 'H', 'O'), false)
                then value_flag_code
                when value is null
                then 'O'
                when value_flag_code = 'C'
                then 'D'
                else coalesce(value_flag_code, 'A')
            end as obs_status,
            _source as source,
            _release as release_date,
            _file as file_name,
            _sheet as sheet_name,
            _row as row_number,
            'Value' as column_name
        from numbered
        where flow is not null
    )

select *
from final
