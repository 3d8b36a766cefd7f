{#- The unit of the last digit of a number in a text: '12' -> 1, '1,234.50' -> 0.01, '1.02E+11' -> 10^9. The powers of
    ten are a list, since DuckDB takes a hundred times as long to read one from a text. -#}
{% macro last_digit(text) -%}
    {%- set mantissa = "split_part(upper(" ~ text ~ "), 'E', 1)" -%}
    {%- set exponent = "nullif(split_part(upper(" ~ text ~ "), 'E', 2), '')" -%}
    {%- set power -%}
        coalesce(cast({{ exponent }} as int), 0) - length(split_part({{ mantissa }}, '.', 2))
    {%- endset -%}
    case
        when {{ power }} between -21 and 16
        then
            [
                {%- for power_of_ten in range(-21, 17) %}
                    {{ exact("'1e" ~ power_of_ten ~ "'") }}{{ "," if not loop.last }}
                {%- endfor %}
            ][{{ power }} + 22]
        else {{ exact("'1e' || cast(" ~ power ~ " as string)") }}
    end
{%- endmacro %}
