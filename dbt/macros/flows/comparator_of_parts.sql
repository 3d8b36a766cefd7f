{#- How exactly receipts and payments give their balance (`sign` is -) or total (+): a bound minus a number is a bound,
    a number minus a bound is the opposite bound, and two bounds that pull apart give no bound at all. -#}
{% macro comparator_of_parts(sign) -%}
    {%- set payments = "payments_comparator" -%}
    {%- if sign == "-" -%}
        {%- set payments -%}
        case payments_comparator when '>' then '<' when '<' then '>' else payments_comparator end
        {%- endset -%}
    {%- endif -%}
    case
        when receipts_stated is null or payments_stated is null
        then null
        when receipts_comparator = '=' or receipts_comparator = {{ payments }}
        then {{ payments }}
        when payments_comparator = '='
        then receipts_comparator
        else '~'
    end
{%- endmacro %}
