{#- How far a quotient can lie from `part / whole` when each is a range (value +- half width); NULL where the whole
    may be zero. -#}
{% macro quotient_half_width(part, part_half, whole, whole_half) -%}
    case
        when abs({{ whole }}) > {{ whole_half }}
        then
            (abs({{ part }}) + {{ part_half }}) / (abs({{ whole }}) - {{ whole_half }})
            - abs({{ part }}) / abs({{ whole }})
    end
{%- endmacro %}
