{#- Millions of a currency, exactly, from a value in units of 10 to the power of `unit_multiplier`. -#}
{% macro millions(value, unit_multiplier) -%}
    case
        {{ unit_multiplier }}
        {%- for multiplier in [6, 0, 3, 8, 9, 12] %}
            when {{ multiplier }}
            then
                {%- if multiplier < 6 %}
                    {{ exact(exact(value) ~ " * 0." ~ "0" * (5 - multiplier) ~ "1") }}
                {%- else %} {{ exact(exact(value) ~ " * 1" ~ "0" * (multiplier - 6)) }}
                {%- endif %}
        {%- endfor %}
    end
{%- endmacro %}
