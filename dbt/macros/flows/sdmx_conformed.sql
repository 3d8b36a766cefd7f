{#- The intermediate model of an SDMX dataset on its staging model: economies by alpha-2 or alpha-3 code (the lengths
    differ, so they cannot clash), totals in the other dimensions.

    units: the publisher's unit codes that mean one currency. national: the unit that means the reporter's currency,
    by the message or by the seed currency_code_map. A unit that is neither one of these nor a currency is not money:
    its rows are left out, and so are those of a reporter without a known currency. The gate on staging warns of both. -#}
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
        ),

        conformed as ({{ conform_codes("staged") }}),

        final as ({{ with_breaks_of_splits("conformed") }})

    select *
    from final
{%- endmacro %}
