{#- The table macros of the published file: the questions that analysts ask most, ready to call. They name schemas and
    never a catalog, so they work under whatever alias a client attaches the file; for the same reason DuckDB must
    stand in that file (`use`) while they are made. Their text is read again by the client that opens the file: no
    syntax here that DuckDB 1.0 does not know. Parameters start with `of_` where a column has the same name.
    Each is documented, with its output, in docs/analysts.md. -#}
{#- Comment and definition of each macro, by name. -#}
{% macro analyst_macros() -%}
    {{
        return(
            {
                "royalty_flows_as_of(as_of)": {
                    "comment": "core.fct_royalty_flows as it was known at the end of a day: only releases published up to then count.",
                    "body": royalty_flows_as_of_body(),
                },
                "balance_of(reporter, breakdown)": {
                    "comment": "Receipts, payments and balance of a reporter by one breakdown: partner, sector, category, region or affiliation. One source a member, period and concept (the preferred one); the total stands beside its parts.",
                    "body": balance_of_body(),
                },
                "top_partners(reporter, of_period, flow := 'receipts', n := 10, of_concept := 'BPM6_SH')": {
                    "comment": "The partners from which a reporter receives most, or to which it pays most (flow := payments), in one period, by the source that ranks most partners.",
                    "body": top_partners_body(),
                },
                "compare_releases(of_source, earlier, later)": {
                    "comment": "What changed between two releases of a source: a row for each number that was revised beyond its rounding, added, dropped (no such row, or an empty one) or withheld (suppressed).",
                    "body": compare_releases_body(),
                },
                "lineage_of(reporter, of_period, partner := 'WLD', sector := '_T', category := '_T', affiliation := '_T', region := '_T')": {
                    "comment": "Every statement about one number, of every source and release, with file, sheet, row and column. What is not named is at its total.",
                    "body": lineage_of_body(),
                },
            }
        )
    }}
{%- endmacro %}

{#- Make the macros, once all the tables that they read are there: after a run that has built every mart. -#}
{% macro create_analyst_macros(results) -%}
    {%- if execute and target.type == "duckdb" -%}
        {%- set marts = (
            graph.nodes.values()
            | selectattr("resource_type", "equalto", "model")
            | selectattr("schema", "equalto", "marts")
            | list
        ) -%}
        {%- set built = [] -%}
        {%- for result in results if result.node.schema == "marts" and result.node.resource_type == "model" and result.status == "success" -%}
            {%- do built.append(result.node) -%}
        {%- endfor -%}
        {%- if built | length == marts | length -%}
            {%- do run_query("use " ~ built[0].database) -%}
            {%- for signature, macro in analyst_macros().items() -%}
                {%- set name = "main." ~ signature.split("(")[0] -%}
                {%- do run_query(
                    "create or replace macro main."
                    ~ signature
                    ~ " as table "
                    ~ macro.body
                ) -%}
                {%- do run_query(
                    "comment on macro table "
                    ~ name
                    ~ " is '"
                    ~ macro.comment
                    ~ " Attached under an alias? Say USE <alias> first.'"
                ) -%}
            {%- endfor -%}
            {%- do run_query("use " ~ target.database) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro royalty_flows_as_of_body() -%}
    {{ royalty_flows("core.fct_royalty_observations", "core.dim_source", "as_of") }}
    order by
        reporter_code,
        period,
        source,
        partner_code,
        sector_code,
        category_code,
        affiliation_code,
        region_code
{%- endmacro %}

{% macro balance_of_body() -%}
    {%- set breakdowns = ["partner", "sector", "category", "region", "affiliation"] -%}
    with
        breakdowns as (
            {%- for dimension in breakdowns %}
                select
                    '{{ dimension }}' as dimension,
                    reporter_code,
                    {{ dimension }}_code as member_code,
                    {{ dimension }}_name as member_name,
                    period,
                    concept,
                    source,
                    receipts_usd_m,
                    payments_usd_m,
                    balance_usd_m,
                    share_of_receipts_pct,
                    share_of_payments_pct,
                    rank_by_receipts,
                    rank_by_payments,
                    receipts_growth_pct,
                    payments_growth_pct,
                    balance_change_usd_m
                from marts.mart_balance_by_{{ dimension }}
                where preferred {{ "union all" if not loop.last }}
            {%- endfor %}
        )

    select
        member_code,
        member_name,
        period,
        concept,
        source,
        receipts_usd_m,
        payments_usd_m,
        balance_usd_m,
        share_of_receipts_pct,
        share_of_payments_pct,
        rank_by_receipts,
        rank_by_payments,
        receipts_growth_pct,
        payments_growth_pct,
        balance_change_usd_m
    from breakdowns
    where
        reporter_code = reporter
        and dimension = case
            when breakdown in ('{{ breakdowns | join("', '") }}')
            then breakdown
            else error('the breakdown is one of {{ breakdowns | join(", ") }}')
        end
    order by period, concept, member_code
{%- endmacro %}

{% macro top_partners_body() -%}
    with
        ranked as (
            select
                partners.source,
                case
                    flow
                    when 'receipts'
                    then partners.rank_by_receipts
                    when 'payments'
                    then partners.rank_by_payments
                    else error('the flow is receipts or payments')
                end as place,
                partners.partner_code,
                partners.partner_name,
                partners.receipts_usd_m,
                partners.payments_usd_m,
                partners.balance_usd_m,
                partners.share_of_receipts_pct,
                partners.share_of_payments_pct
            from marts.mart_balance_by_partner as partners
            where
                partners.reporter_code = reporter
                and partners.period = of_period
                and partners.concept = of_concept
        ),

        -- Ranks of different sources do not mix.
        sources_by_size as (
            select ranked.source
            from ranked
            inner join core.dim_source as sources on ranked.source = sources.source
            where ranked.place is not null
            group by ranked.source
            order by count(*) desc, min(sources.precedence)
            limit 1
        )

    select
        ranked.place,
        ranked.partner_code,
        ranked.partner_name,
        ranked.receipts_usd_m,
        ranked.payments_usd_m,
        ranked.balance_usd_m,
        ranked.share_of_receipts_pct,
        ranked.share_of_payments_pct,
        ranked.source
    from ranked
    inner join sources_by_size on ranked.source = sources_by_size.source
    where ranked.place <= n
    order by ranked.place, ranked.partner_code
{%- endmacro %}

{% macro compare_releases_body() -%}
    {%- set series = key_columns() + ["flow", "currency"] -%}
    with
        {%- for side in ["earlier", "later"] %}
            {{ side }}_release as (
                select {{ column_list(series) }}, value, rounding, conf_status
                from core.fct_royalty_observations
                where
                    source = of_source
                    and release_date = case
                        when
                            (
                                select count(*)
                                from core.dim_release as releases
                                where
                                    releases.source = of_source
                                    and releases.release_date = cast({{ side }} as date)
                            )
                            > 0
                        then cast({{ side }} as date)
                        else error('the source has no such release: core.dim_release has them')
                    end
                    and statement_number = 1
            ),
        {%- endfor %}

        compared as (
            select
                {%- for column in series %}
                    coalesce(
                        later_release.{{ column }}, earlier_release.{{ column }}
                    ) as {{ column }},
                {%- endfor %}
                case
                    when earlier_release.value is null
                    then 'added'
                    when later_release.value is not null
                    then 'revised'
                    when later_release.conf_status = 'C'
                    then 'withheld'
                    else 'dropped'
                end as what,
                earlier_release.value as earlier_value,
                later_release.value as later_value,
                {{
                    within_rounding(
                        "later_release.value",
                        "later_release.rounding",
                        "earlier_release.value",
                        "earlier_release.rounding",
                    )
                }} as is_unchanged
            from earlier_release
            full outer join
                later_release on {{ equal_on("earlier_release", "later_release", series) }}
        )

    select
        what,
        {{ column_list(series) }},
        earlier_value,
        later_value,
        later_value - earlier_value as change,
        {{ pct("100e0 * (later_value - earlier_value) / nullif(abs(earlier_value), 0)") }}
        as change_pct
    from compared
    where not coalesce(is_unchanged, earlier_value is null and later_value is null)
    order by {{ column_list(series) }}
{%- endmacro %}

{% macro lineage_of_body() -%}
    select
        flow,
        value,
        currency,
        value_usd_m,
        obs_status,
        conf_status,
        concept,
        source,
        release_date,
        file_name,
        sheet_name,
        row_number,
        column_name
    from core.fct_royalty_observations
    where
        reporter_code = reporter
        and period = of_period
        and partner_code = partner
        and sector_code = sector
        and category_code = category
        and affiliation_code = affiliation
        and region_code = region
    order by concept, flow, source, release_date, statement_number
{%- endmacro %}
