{#- The table macros of the published file: the questions that analysts ask most, ready to call. They name schemas and
    never a catalog, so they work under whatever alias a client attaches the file; for the same reason DuckDB must
    stand in that file (`use`) while they are made. Their text is read again by the client that opens the file: no
    syntax here that DuckDB 1.0 does not know. Parameters start with `of_` where a column has the same name.
    Each is documented, with its output, in docs/analysts.md.

    Comment and definition of each, by name. -#}
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
