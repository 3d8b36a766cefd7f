{#- Growth of receipts and payments over the year before, in US dollars and in the stated currency, and the change of
    the balance. `flows` and `previous` are aliases of one series in one release; none across a break of the flow (of
    any, for the balance), nor of a bound. -#}
{% macro growth_in_one_release(flows, previous) -%}
    {%- for flow in ["receipts", "payments"] %}
        {%- for unit, name in [("_usd_m", "growth_pct"), ("", "growth_stated_pct")] %}
            case
                when
                    not {{ flows }}.{{ flow }}_is_break
                    and {{ flows }}.{{ flow }}_comparator in ('=', '~')
                    and {{ previous }}.{{ flow }}_comparator in ('=', '~')
                then
                    {{
                        growth_pct(
                            flows ~ "." ~ flow ~ unit,
                            previous ~ "." ~ flow ~ unit,
                        )
                    }}
            end as {{ flow }}_{{ name }},
        {%- endfor %}
    {%- endfor %}
    case
        when
            not {{ flows }}.is_break
            and {{ flows }}.balance_comparator in ('=', '~')
            and {{ previous }}.balance_comparator in ('=', '~')
        then {{ money(flows ~ ".balance_usd_m - " ~ previous ~ ".balance_usd_m") }}
    end as balance_change_usd_m
{%- endmacro %}
