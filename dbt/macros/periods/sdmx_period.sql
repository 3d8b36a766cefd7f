{#- A period as SDMX writes it, from the forms of older releases: 2018Q3, 2018S1, 2018M07, 2018-M07, 2018-A1. -#}
{% macro sdmx_period(period) -%}
    case
        when substr({{ period }}, 5) in ('A1', '-A1')
        then substr({{ period }}, 1, 4)
        when substr({{ period }}, 5, 1) in ('Q', 'S')
        then substr({{ period }}, 1, 4) || '-' || substr({{ period }}, 5)
        when replace(substr({{ period }}, 5), '-', '') like 'M%'
        then substr({{ period }}, 1, 4) || '-' || lpad(split_part({{ period }}, 'M', 2), 2, '0')
        else {{ period }}
    end
{%- endmacro %}
