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
