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
