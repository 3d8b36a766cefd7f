{#- The value that an identity gives: the sum of its multiples of the flows. A flow that it does not use may be NULL;
    one that it uses may not. `half_width`: the same sum of how far each flow may be off. -#}
{% macro identity_value(identities, flows, half_width=false) -%}
    {%- for flow in ["receipts", "payments", "balance", "total"] %}
        {%- set factor = identities ~ ".of_" ~ flow %}
        case
            when {{ factor }} = 0
            then 0e0
            else
                {% if half_width -%} abs({{ factor }}) * {{ flows }}.{{ flow }}_half
                {%- else -%} {{ factor }} * {{ flows }}.{{ flow }}
                {%- endif %}
        end
        {{ "+" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
