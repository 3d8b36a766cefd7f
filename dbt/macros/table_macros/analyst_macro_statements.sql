{#- The statements that create the table macros of the published file, with their comments. -#}
{% macro analyst_macro_statements() -%}
    {%- set statements = [] -%}
    {%- for signature, macro in analyst_macros().items() -%}
        {%- do statements.append(
            "create or replace macro main." ~ signature ~ " as table " ~ macro.body
        ) -%}
        {%- do statements.append(
            "comment on macro table main."
            ~ signature.split("(")[0]
            ~ " is '"
            ~ macro.comment
            ~ " Attached under an alias? Run USE <alias> first.'"
        ) -%}
    {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}
