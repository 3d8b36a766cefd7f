{#- How far a sum of stated numbers may be from zero through rounding alone. Each was rounded at its last digit, which
    moves it by half a unit at most. In a file of binary floating-point numbers each moves once more, by the rounding
    of 53 bits. -#}
{% macro tolerance(roundings, magnitudes, terms) -%}
    (({{ roundings }}) / 2e0 + {{ terms }} * 1.1102230246251565e-16 * ({{ magnitudes }}))
{%- endmacro %}
