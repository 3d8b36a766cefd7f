{#- Last day of the period. -#}
{% macro period_end(period) -%}
    {%- set months -%}
case {{ period_frequency(period) }} when 'A' then 12 when 'S' then 6 when 'Q' then 3 else 1 end
    {%- endset -%}
    {%- set next_start = dbt.dateadd("month", months, period_start(period)) -%}
    cast({{ dbt.dateadd("day", -1, next_start) }} as date)
{%- endmacro %}
