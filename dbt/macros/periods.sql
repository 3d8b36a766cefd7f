{#- Periods are written as SDMX does: 2018, 2018-S1, 2018-Q3, 2018-07. -#}
{% macro period_frequency(period) -%}
    case
        when length({{ period }}) = 4
        then 'A'
        when {{ period }} like '%-S%'
        then 'S'
        when {{ period }} like '%-Q%'
        then 'Q'
        else 'M'
    end
{%- endmacro %}

{% macro period_start(period) -%}
    cast(
        substr({{ period }}, 1, 4)
        || '-'
        || case
            substr({{ period }}, 6)
            when ''
            then '01'
            when 'S1'
            then '01'
            when 'S2'
            then '07'
            when 'Q1'
            then '01'
            when 'Q2'
            then '04'
            when 'Q3'
            then '07'
            when 'Q4'
            then '10'
            else substr({{ period }}, 6)
        end
        || '-01' as date
    )
{%- endmacro %}

{#- Last day of the period. -#}
{% macro period_end(period) -%}
    {%- set months -%}
case {{ period_frequency(period) }} when 'A' then 12 when 'S' then 6 when 'Q' then 3 else 1 end
    {%- endset -%}
    {%- set next_start = dbt.dateadd("month", months, period_start(period)) -%}
    cast({{ dbt.dateadd("day", -1, next_start) }} as date)
{%- endmacro %}

{#- The same part of the year before: 2018-S1 -> 2017-S1. -#}
{% macro period_year_before(period) -%}
    cast(cast(substr({{ period }}, 1, 4) as int) - 1 as string) || substr({{ period }}, 5)
{%- endmacro %}

{#- The period of one frequency that a day lies in. -#}
{% macro period_of_day(day, frequency) -%}
    cast(extract(year from {{ day }}) as string) || case
        {{ frequency }}
        when 'A'
        then ''
        when 'S'
        then '-S' || case when extract(month from {{ day }}) <= 6 then '1' else '2' end
        when 'Q'
        then '-Q' || cast(extract(quarter from {{ day }}) as string)
        else '-' || lpad(cast(extract(month from {{ day }}) as string), 2, '0')
    end
{%- endmacro %}
