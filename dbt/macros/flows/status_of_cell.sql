{#- OBS_STATUS of a cell with a figure (`normal`, SQL) or a mark. `marks`: the publisher's marks and their codes in the
    SDMX list CL_OBS_STATUS (2.2): N for what rounds to zero; Q withheld; L ("data exist but were not collected") for
    what the publisher calls not available; M ("data cannot exist") for not applicable. Any other cell is missing
    without a reason: O. -#}
{% macro status_of_cell(cell, marks, normal="'A'") -%}
    case
        when {{ has_figure(cell) }}
        then {{ normal }}
        {%- for mark, status in marks.items() %}
            when {{ cell }} = '{{ mark }}' then '{{ status }}'
        {%- endfor %}
        else 'O'
    end
{%- endmacro %}
