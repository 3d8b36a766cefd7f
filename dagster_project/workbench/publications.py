"""Publications: `audit.publication`."""

import duckdb


def last_publication(con: duckdb.DuckDBPyConnection) -> tuple[str, str] | None:
    """Return id and fingerprint of the newest publication, or None."""
    return con.execute(
        "select publication_id, fingerprint from audit.publication"
        " order by published_at desc limit 1"
    ).fetchone()
