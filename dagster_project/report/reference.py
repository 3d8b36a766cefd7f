"""The pages to look things up in: sources, downloads, data dictionary."""

from collections.abc import Iterator

import duckdb

from dagster_project.base.sql import literal
from dagster_project.report.answers import ask
from dagster_project.report.figures import Column, Figure
from dagster_project.report.pages import Page
from dagster_project.transform.docs.dbt_docs import dbt_docs_address
from dagster_project.transform.docs.lineage import column_lineage, first_columns

_SCHEMAS = {
    "marts": "What people ask for. Start here.",
    "core": "The star schema: every number ever stated, and the latest of each.",
    "audit": "The ledger: what was loaded, checked and published.",
}


def sources_page(con: duckdb.DuckDBPyConnection) -> Page:
    """Return the page of sources, their licences and the files that were loaded."""
    sources = ask(
        con,
        """
select source, publisher, title, url, licence, citation,
       count(*) as releases, max(release_date) as latest_release
from core.dim_source inner join core.dim_release using (source)
group by source, publisher, title, url, licence, citation
order by source""",
    )
    files = ask(
        con,
        """
select source, release_date, file_name, bytes, sha256, rows_read, rows_kept, status, loaded_at
from audit.releases
order by source, release_date, file_name, loaded_at""",
    )
    return Page(
        "sources.html",
        "Sources",
        "Who publishes the numbers, under which licence, and the very files that they were read"
        " from.",
        figures=[
            Figure(
                "sources",
                "Sources with a release in force",
                "",
                sources,
                (
                    Column("source", "Source", "code"),
                    Column("publisher", "Publisher"),
                    Column("title", "Title", "link"),
                    Column("licence", "Licence"),
                    Column("citation", "Cite as"),
                    Column("releases", "Releases", "number"),
                    Column("latest_release", "Latest", "date"),
                ),
                source="",
            ),
            Figure(
                "files",
                "Files",
                "",
                files,
                (
                    Column("source", "Source", "code"),
                    Column("release_date", "Release", "date"),
                    Column("file_name", "File", "name"),
                    Column("bytes", "Size", "bytes"),
                    Column("sha256", "SHA-256", "sha256"),
                    Column("rows_read", "Rows read", "number"),
                    Column("rows_kept", "Rows kept", "number"),
                    Column("status", "Status"),
                ),
                source="",
                note="The size is that of the file in the landing folder.",
            ),
        ],
    )


def downloads_page(con: duckdb.DuckDBPyConnection, downloads: dict[str, int]) -> Page:
    """Return the page of downloads: `downloads` has the size in bytes of each file of `data/`."""
    tables = ask(
        con,
        """
select schema_name || '.' || table_name as table_name, estimated_size as row_count, comment
from duckdb_tables()
where schema_name in ('core', 'marts')
order by schema_name desc, table_name""",
    )
    return Page(
        "downloads.html",
        "Downloads",
        "Every table of the publication as a Parquet file: typed, sorted by its key, described.",
        template="downloads.html",
        figures=[
            Figure(
                "tables",
                "Tables",
                "",
                tables,
                (
                    Column("table_name", "Table", "file"),
                    Column("row_count", "Rows", "number"),
                    Column("comment", "What it holds", "prose"),
                ),
                source="",
            )
        ],
        more={"downloads": downloads},
    )


def dictionary_pages(con: duckdb.DuckDBPyConnection) -> Iterator[Page]:
    """Yield the data dictionary, from the comments in the file: the list, and a page a table."""
    tables = ask(
        con,
        """
select schema_name || '.' || table_name as table_name, column_count, comment
from duckdb_tables()
where not internal
order by array_position(['marts', 'core', 'audit'], schema_name), table_name""",
    )
    macros = ask(
        con,
        """
select function_name || '(' || array_to_string(parameters, ', ') || ')' as call, comment
from duckdb_functions()
where function_type = 'table_macro' and not internal
order by function_name""",
    )
    yield Page(
        "dictionary/index.html",
        "Data dictionary",
        "Every table and column of the published file, in the words of the comments in it.",
        template="dictionary.html",
        figures=[
            Figure(
                "tables",
                "Tables",
                "",
                tables,
                (
                    Column("table_name", "Table", "table"),
                    Column("column_count", "Columns", "number"),
                    Column("comment", "What it holds", "prose"),
                ),
                source="",
            ),
            Figure(
                "functions",
                "Functions",
                "",
                macros,
                (Column("call", "Call", "code"), Column("comment", "What it answers", "prose")),
                source="",
                note="They answer with rows: select from them as from a table.",
            ),
        ],
    )
    for table, _, comment in tables.rows:
        yield _table_page(con, table, comment)


def _table_page(con: duckdb.DuckDBPyConnection, table: str, comment: str) -> Page:
    schema, name = table.split(".")
    columns = ask(
        con,
        f"""
select column_name, data_type, not is_nullable as required, comment
from duckdb_columns()
where schema_name = {literal(schema)} and table_name = {literal(name)}
order by column_index""",
    )
    return Page(
        f"dictionary/{table}.html",
        table,
        comment,
        template="dictionary.html",
        kicker="Data dictionary",
        section="dictionary/index.html",
        more=_lineage(table),
        figures=[
            Figure(
                "columns",
                "Columns",
                "",
                columns,
                (
                    Column("column_name", "Column", "code"),
                    Column("data_type", "Type"),
                    Column("required", "Required"),
                    Column("comment", "Meaning", "prose"),
                ),
                source="",
            )
        ],
    )


def _lineage(table: str) -> dict[str, object]:
    """Return what the page says of a model's lineage; nothing of a table of the ledger."""
    columns = column_lineage().get(table)
    if columns is None:
        return {}
    return {
        "model": dbt_docs_address(table),
        "lineage": [
            (column, parents, sorted(first_columns(table, column)))
            for column, parents in columns.items()
        ],
    }
