{#- The code of the total in one dimension. -#}
{% macro total_of(dimension) -%} {{ "'WLD'" if dimension == "partner" else "'_T'" }} {%- endmacro %}
