{{ config(materialized="view") }}

-- Every number that any source states, in one shape, in millions of the stated currency: the only
-- list of the sources' models.
{%- set columns = (
    ["source", "release_date"]
    + key_columns()
    + [
        "flow",
        "value",
        "currency",
        "rounding",
        "comparator",
        "obs_status",
        "conf_status",
        "file_name",
        "sheet_name",
        "row_number",
        "column_name",
    ]
) %}
{%- set sources = [
    "int_worldbank_wdi__observations",
    "int_bea_trade_by_area__observations",
    "int_bea_intl_serv_trade__observations",
    "int_boj_balance_of_payments__observations",
    "int_boj_flat_files__observations",
    "int_safe_bop_time_series__observations",
    "int_oecd_wto_batis__observations",
    "int_wto_stats__observations",
    "int_eurostat_bop_its6__observations",
    "int_oecd_tis__observations",
    "int_published_figures__observations",
    "int_ons_services_by_partner__observations",
    "int_ons_trade_by_industry__observations",
    "int_ons_pink_book__observations",
    "int_ons_itis__observations",
] %}
{%- for observations in sources %}
    select {{ column_list(columns) }}
    from {{ ref(observations) }} {{ "union all" if not loop.last }}
{%- endfor %}
