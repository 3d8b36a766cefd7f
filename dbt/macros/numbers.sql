{#- Money: millions with six decimals, so single units of a currency survive. -#}
{% macro money(expression) -%} cast({{ expression }} as decimal(18, 6)) {%- endmacro %}

{#- Millions of a currency from a value in units of 10 to the power of `unit_multiplier`. -#}
{% macro millions(value, unit_multiplier) -%}
    {{
        money(
            "cast("
            ~ value
            ~ " as double) * power(10e0, cast("
            ~ unit_multiplier
            ~ " as int) - 6)"
        )
    }}
{%- endmacro %}

{#- Whether a cell holds a figure: a text without a digit is a mark. -#}
{% macro has_figure(text) -%} translate({{ text }}, '0123456789', '') <> {{ text }} {%- endmacro %}

{#- A percentage with four decimals. -#}
{% macro pct(expression) -%} round(cast({{ expression }} as double), 4) {%- endmacro %}

{#- Part of a whole in percent; NULL where the whole is zero or not known. -#}
{% macro share_pct(part, whole) -%}
    {{ pct("100e0 * " ~ part ~ " / nullif(" ~ whole ~ ", 0)") }}
{%- endmacro %}

{#- Growth in percent; NULL unless the earlier level is positive. -#}
{% macro growth_pct(level, previous) -%}
    {{
        pct(
            "case when "
            ~ previous
            ~ " > 0 then 100e0 * ("
            ~ level
            ~ " - "
            ~ previous
            ~ ") / "
            ~ previous
            ~ " end"
        )
    }}
{%- endmacro %}

{#- Size of the last stated digit of a number written with an exponent ('1.02E+11' -> 1e9); zero for any other
    number, which is taken as exact. A spreadsheet that saved the file leaves such numbers behind. -#}
{% macro exponent_rounding(text) -%}
    case
        when upper({{ text }}) like '%E+%'
        then
            power(
                10e0,
                cast(split_part(upper({{ text }}), 'E+', 2) as int)
                - length(split_part(split_part(upper({{ text }}), 'E+', 1), '.', 2))
            )
        else 0e0
    end
{%- endmacro %}

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
