{#- The staging model of an SDMX dataset: whatever the format, a flag after the number (Eurostat's TSV) and one in a
    column of its own are the same flag. Rows stay as they are; suppressed and missing values are NULL.

    reporter, partner, item, flow, unit: the dimensions. flows: the publisher's codes and ours. unit_multiplier,
    currency: attributes, where the dataset has them. flags: the attribute with the observation's status.
    confidentiality: that with CONF_STATUS, where F, empty and codes that SDMX does not list are free. secret: flags
    that mean suppressed. renamed: flags that differ from the SDMX list OBS_STATUS, and their codes in it. Of several
    flags, the first in the hierarchy of the SDMX guideline on the observation status counts. A missing value keeps the
    reason that its flag gives; without one, Eurostat's `:` is not available (L) and any other is missing (O). -#}
{% macro sdmx_staging(
    raw_table,
    reporter,
    partner,
    item,
    flow,
    flows,
    unit,
    flags,
    confidentiality,
    unit_multiplier="null",
    currency="null",
    secret=["Q"],
    renamed={}
) -%}
    {%- set cell = "trim(replace(coalesce(value, ''), '@', ' '))" -%}
    {%- set status = {"sql": "stated_flags"} -%}
    {%- for flag, other in renamed.items() -%}
        {%- do status.update(
            {"sql": "replace(" ~ status.sql ~ ", '" ~ flag ~ "', '" ~ other ~ "')"}
        ) -%}
    {%- endfor -%}
    with
        as_text as (
            select
                raw_rows.*,
                split_part({{ cell }}, ' ', 1) as number_text,
                substr({{ cell }}, length(split_part({{ cell }}, ' ', 1)) + 1)
                || coalesce({{ flags }}, '') as stated_flags
            from ({{ accepted_rows(raw_table) }}) as raw_rows
        ),

        as_numbers as (
            select
                as_text.*,
                {{ number_in("number_text", cast="try_cast") }} as number,
                (
                    coalesce(
                        {{ confidentiality }}
                        in ('A', 'C', 'D', 'E', 'G', 'M', 'N', 'O', 'P', 'S', 'T', 'X'),
                        false
                    )
                    {%- for flag in secret %} or stated_flags like '%{{ flag }}%' {%- endfor %}
                ) as is_secret,
                upper({{ status.sql }}) as statuses
            from as_text
        ),

        final as (
            select
                {{ reporter }} as reporter,
                {{ partner }} as partner,
                {{ item }} as item,
                case
                    {{ flow }}
                    {%- for code, name in flows.items() %}
                        when '{{ code }}' then '{{ name }}'
                    {%- endfor %}
                end as flow,
                {{ unit }} as unit,
                cast({{ currency }} as string) as stated_currency,
                cast({{ unit_multiplier }} as int) as unit_multiplier,
                {{ sdmx_period("time_period") }} as period,
                number as value,
                case when number is not null then {{ last_digit("number_text") }} end as rounding,
                case
                    when number is null and is_secret
                    then 'Q'
                    {%- for code in ["L", "M", "K", "H", "O"] %}
                        when number is null and statuses like '%{{ code }}%' then '{{ code }}'
                    {%- endfor %}
                    when number is null
                    then case when number_text = ':' then 'L' else 'O' end
                    {%- for code in [
                            "B",
                            "J",
                            "S",
                            "D",
                            "W",
                            "I",
                            "F",
                            "E",
                            "P",
                            "N",
                            "U",
                            "V",
                            "G",
                        ] %}
                        when statuses like '%{{ code }}%' then '{{ code }}'
                    {%- endfor %}
                    else 'A'
                end as obs_status,
                case when is_secret then 'C' else 'F' end as conf_status,
                _source as source,
                _release as release_date,
                _file as file_name,
                _sheet as sheet_name,
                _row as row_number,
                _column as column_name
            from as_numbers
        )

    select *
    from final
{%- endmacro %}
