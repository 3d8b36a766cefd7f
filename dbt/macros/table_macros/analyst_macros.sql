{#- The table macros of the published file: the questions that analysts ask most, ready to call. They name schemas and
    never a catalog, so they work under any alias that a client attaches the file with; for the same reason that file
    must be current (`use`) while they are created. The client that opens the file parses their text again: only
    syntax that DuckDB 1.0 knows. Parameters start with `of_` where a column has the same name.
    Each is documented, with its output, in docs/analysts.md or docs/tracing-numbers.md.

    Comment and definition of each, by name. -#}
{% macro analyst_macros() -%}
    {{
        return(
            {
                "royalty_flows_as_of(as_of)": {
                    "comment": "core.fct_royalty_flows as known at the end of a day: only releases published up to then count.",
                    "body": royalty_flows_as_of_body(),
                },
                "balance_of(reporter, breakdown, frequency := 'A')": {
                    "comment": "Receipts, payments and balance (BPM6 item SH) of a reporter by partner, sector, category, affiliation or subdivision, one row per member and period of one frequency: A (years), S (half-years), Q (quarters), M (months). One source and release per period. The rows of a period add up to the total: _X is what is withheld, not broken down or rounded away.",
                    "body": balance_of_body(),
                },
                "top_partners(reporter, of_period, flow := 'receipts', n := 10, frequency := 'A', of_concept := 'BPM6_SH')": {
                    "comment": "The n largest known partners of a reporter by receipts, or (flow := payments) by payments, in a period of one frequency (A, S, Q, M), and the row _X: the amount and number of partners that are withheld. The place is NULL where a withheld partner could be above.",
                    "body": top_partners_body(),
                },
                "compare_releases(of_source, earlier, later)": {
                    "comment": "Changes between two releases of a source: one row per number that was revised beyond its rounding, added, dropped (no such row, or an empty one) or withheld (suppressed); composition where an aggregate has other members.",
                    "body": compare_releases_body(),
                },
                "lineage_of(reporter, of_period, partner := 'WLD', sector := '_T', category := '_T', affiliation := '_T', region := '_T')": {
                    "comment": "Every statement about one number, of every source and release, with file, sheet, row and column. Dimensions not named are at their total.",
                    "body": lineage_of_body(),
                },
            }
        )
    }}
{%- endmacro %}
