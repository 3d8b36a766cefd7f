{#- The number in a text: plain, with an exponent or with thousands commas. DuckDB takes thirty times as long for a text
    as DECIMAL(38) as for the parts before and after the point, which fit into 64 bits. `cast`: also `try_cast`. -#}
{% macro number_in(text, cast="cast") -%}
    {%- set plain = "replace(" ~ text ~ ", ',', '')" -%}
    case
        when regexp_full_match({{ plain }}, '-?[0-9]{1,17}([.][0-9]{1,18})?')
        then
            {{ exact("cast(split_part(" ~ plain ~ ", '.', 1) as bigint)") }} + cast(
                case when left({{ plain }}, 1) = '-' then '-0.' else '0.' end
                || split_part({{ plain }}, '.', 2) as decimal(18, 18)
            )
        else {{ cast }} ({{ plain }} as decimal(38, 21))
    end
{%- endmacro %}
