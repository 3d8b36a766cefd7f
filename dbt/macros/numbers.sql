{#- A number as it was stated. A spreadsheet keeps 15 significant digits; before the point in units of 10^8 they need
    17 digits in millions, after it in units of 1 they need 21: with 38 digits, the most that DECIMAL has, none is
    lost. -#}
{% macro exact(expression) -%} cast({{ expression }} as decimal(38, 21)) {%- endmacro %}

{#- The number in a text: plain, with an exponent or with thousands commas. -#}
{% macro number_in(text) -%} {{ exact("replace(" ~ text ~ ", ',', '')") }} {%- endmacro %}

{#- The unit of the last digit of a number in a text: '12' -> 1, '1,234.50' -> 0.01, '1.02E+11' -> 10^9. -#}
{% macro last_digit(text) -%}
    {%- set mantissa = "split_part(upper(" ~ text ~ "), 'E', 1)" -%}
    {%- set exponent = "nullif(split_part(upper(" ~ text ~ "), 'E', 2), '')" -%}
    {{
        exact(
            "'1e' || cast(coalesce(cast("
            ~ exponent
            ~ " as int), 0) - length(split_part("
            ~ mantissa
            ~ ", '.', 2)) as string)"
        )
    }}
{%- endmacro %}

{#- Millions of a currency, exactly, from a value in units of 10 to the power of `unit_multiplier`. -#}
{% macro millions(value, unit_multiplier) -%}
    case
        {{ unit_multiplier }}
        {%- for multiplier in [6, 0, 3, 8, 9, 12] %}
            when {{ multiplier }}
            then
                {%- if multiplier < 6 %}
                    {{ exact(exact(value) ~ " * 0." ~ "0" * (5 - multiplier) ~ "1") }}
                {%- else %} {{ exact(exact(value) ~ " * 1" ~ "0" * (multiplier - 6)) }}
                {%- endif %}
        {%- endfor %}
    end
{%- endmacro %}

{#- Money as marts show it: millions with six decimals, so single units of a currency survive. -#}
{% macro money(expression) -%} cast({{ expression }} as decimal(18, 6)) {%- endmacro %}

{#- How far a sum of stated numbers may lie from zero by rounding alone. Each was rounded at its last digit, which
    moves it by half a unit at the most. Where a file holds binary floating-point numbers each moves once more, by the
    rounding of 53 bits. -#}
{% macro tolerance(roundings, magnitudes, terms) -%}
    (({{ roundings }}) / 2e0 + {{ terms }} * 1.1102230246251565e-16 * ({{ magnitudes }}))
{%- endmacro %}

{#- Whether two statements can be of one number: nearer to each other than half a last digit of each. Two that are rounded
    alike and differ are not. -#}
{% macro within_rounding(value, rounding, other, other_rounding) -%}
    (
        {{ value }} = {{ other }}
        or 2 * abs({{ value }} - {{ other }})
        < coalesce({{ rounding }}, 0) + coalesce({{ other_rounding }}, 0)
    )
{%- endmacro %}

{#- The tolerance of a sum over rows, each a term; a row without a value is none. -#}
{% macro tolerance_of_sum(value="value", rounding="rounding") -%}
    {{
        tolerance(
            "sum(case when " ~ value ~ " is not null then " ~ rounding ~ " else 0 end)",
            "sum(abs(" ~ value ~ "))",
            "count(" ~ value ~ ")",
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
