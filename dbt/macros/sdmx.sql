{#- The staging model of an SDMX dataset: whatever the format, a flag behind the number (Eurostat's TSV) and one in a
    column of its own are the same flag. Rows stay as they are, suppressed and missing ones without a value.

    reporter, partner, item, flow, unit: the dimensions. flows: the publisher's codes and ours. unit_multiplier, currency:
    attributes, where the dataset has them. flags: the attribute with the observation's status. confidentiality: that with
    CONF_STATUS, where F, empty and codes that SDMX does not list are free. secret: flags that mean suppressed. renamed: flags that are not those of
    the SDMX list OBS_STATUS, and what they are there. Of several flags the one counts that is first in the hierarchy of
    the SDMX guideline on the observation status. -#}
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
                try_cast(number_text as decimal(38, 21)) as number,
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
                    when number is null
                    then 'M'
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

{#- The intermediate model of an SDMX dataset on its staging model: economies by alpha-2 or alpha-3 code (a code of three
    letters is no alpha-2 code), totals in the other dimensions.

    units: the publisher's codes of units that are one currency. national: the unit that is the reporter's currency, by
    the message or by the seed currency_code_map. A unit that is neither one of these nor a currency is no money: its rows
    are left out, and so are those of a reporter without a known currency. The gate on staging warns of both. -#}
{% macro sdmx_conformed(staging_model, concept, units, national) -%}
    with
        alpha_2_codes as (
            select iso2, economy_code from {{ ref("int_economies") }} where iso2 is not null
        ),

        in_currency as (
            select
                stated.*,
                case
                    {%- for code, currency in units.items() %}
                        when stated.unit = '{{ code }}' then '{{ currency }}'
                    {%- endfor %}
                    when stated.unit = '{{ national }}'
                    then coalesce(stated.stated_currency, currencies.currency)
                    when length(stated.unit) = 3
                    then stated.unit
                end as currency,
                coalesce(reporters.economy_code, stated.reporter) as reporter_or_alpha_3,
                coalesce(partners.economy_code, stated.partner) as partner_or_alpha_3
            from {{ staging_model }} as stated
            left join alpha_2_codes as reporters on stated.reporter = reporters.iso2
            left join alpha_2_codes as partners on stated.partner = partners.iso2
            left join
                {{ ref("currency_code_map") }} as currencies
                on stated.source = currencies.source
                and stated.reporter = currencies.source_code
                and {{ map_holds("currencies", "stated.release_date") }}
        ),

        staged as (
            select
                source,
                release_date,
                reporter_or_alpha_3 as reporter,
                partner_or_alpha_3 as partner,
                '_T' as sector,
                item as category,
                '_T' as affiliation,
                '_T' as region,
                '{{ concept }}' as concept,
                period,
                flow,
                value,
                currency,
                coalesce(unit_multiplier, 6) as unit_multiplier,
                rounding,
                '=' as comparator,
                obs_status,
                conf_status,
                file_name,
                sheet_name,
                row_number,
                column_name
            from in_currency
            where currency is not null
        )
        {{ conform_codes("staged") }}
{%- endmacro %}

{#- A period as SDMX writes it, from the forms of older releases: 2018Q3, 2018S1, 2018M07, 2018-M07, 2018-A1. -#}
{% macro sdmx_period(period) -%}
    case
        when substr({{ period }}, 5) in ('A1', '-A1')
        then substr({{ period }}, 1, 4)
        when substr({{ period }}, 5, 1) in ('Q', 'S')
        then substr({{ period }}, 1, 4) || '-' || substr({{ period }}, 5)
        when replace(substr({{ period }}, 5), '-', '') like 'M%'
        then substr({{ period }}, 1, 4) || '-' || lpad(split_part({{ period }}, 'M', 2), 2, '0')
        else {{ period }}
    end
{%- endmacro %}
