{#- The number in a text: plain, with an exponent or with thousands commas. -#}
{% macro number_in(text) -%} {{ exact("replace(" ~ text ~ ", ',', '')") }} {%- endmacro %}
