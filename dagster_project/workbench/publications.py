"""Publications (`audit.publication`) and their files (`audit.published_files`).

A file cannot hold its own SHA-256: only the workbench has `published_files`.
"""

import duckdb


def last_publication(con: duckdb.DuckDBPyConnection) -> tuple[str, str] | None:
    """Return id and fingerprint of the newest publication, or None."""
    return con.execute(
        "select publication_id, fingerprint from audit.publication"
        " order by published_at desc limit 1"
    ).fetchone()


def record_published_file(
    con: duckdb.DuckDBPyConnection, publication_id: str, sha256: str, size: int
) -> None:
    """Record the SHA-256 and the size of a publication's file, in bytes."""
    con.execute(
        "insert into audit.published_files values (?, ?, ?)", [publication_id, sha256, size]
    )


def published_sha256(con: duckdb.DuckDBPyConnection, publication_id: str) -> str | None:
    """Return the recorded SHA-256 of a publication's file; None if there is none."""
    row = con.execute(
        "select sha256 from audit.published_files where publication_id = ?", [publication_id]
    ).fetchone()
    return row[0] if row else None
