{#- The key of an observation within source and release, without the flow. Totals: partner WLD, the others _T. -#}
{% macro key_columns() -%}
    {{
        return(
            [
                "reporter_code",
                "partner_code",
                "sector_code",
                "category_code",
                "affiliation_code",
                "region_code",
                "concept",
                "period",
                "frequency",
            ]
        )
    }}
{%- endmacro %}
