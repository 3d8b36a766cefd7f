{#- The codes of the SDMX list CL_OBS_STATUS (2.2) that come without a value. -#}
{% macro missing_statuses() -%} {{ return(["Q", "L", "M", "K", "H", "O"]) }} {%- endmacro %}
