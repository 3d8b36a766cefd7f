{#- The period of one frequency that contains a day. -#}
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
