{#- How far a sum of stated numbers may lie from zero by rounding alone. Each was rounded at its last digit, which
    moves it by half a unit at the most. Where a file holds binary floating-point numbers each moves once more, by the
    rounding of 53 bits. -#}
{% macro tolerance(roundings, magnitudes, terms) -%}
    (({{ roundings }}) / 2e0 + {{ terms }} * 1.1102230246251565e-16 * ({{ magnitudes }}))
{%- endmacro %}
