{#- The unit of the last digit of a number in a text: '12' -> 1, '1,234.50' -> 0.01, '1.02E+11' -> 10^9. -#}
{% macro last_digit(text) -%}
    {%- set mantissa = "split_part(upper(" ~ text ~ "), 'E', 1)" -%}
    {%- set exponent = "nullif(split_part(upper(" ~ text ~ "), 'E', 2), '')" -%}
    {{
        exact(
            "'1e' || cast(coalesce(cast("
            ~ exponent
            ~ " as int), 0) - length(split_part("
            ~ mantissa
            ~ ", '.', 2)) as string)"
        )
    }}
{%- endmacro %}
