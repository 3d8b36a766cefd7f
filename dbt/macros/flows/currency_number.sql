{#- One currency per key: that of the newest release, then the one with most values, then USD. -#}
{% macro currency_number(columns) -%}
    row_number() over (
        partition by {{ column_list(columns) }}
        order by
            newest_release desc,
            values_stated desc,
            case when currency = 'USD' then 0 else 1 end,
            currency
    )
{%- endmacro %}
