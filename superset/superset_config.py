"""Superset's settings. The paths of the published file and Superset's own files are in `Settings`.

Loopback only, and nothing leaves the machine: no telemetry, no remote maps or fonts, and a content
security policy that makes the browser refuse them.
"""

import logging
import os
import re
import secrets
import sys
import warnings
from pathlib import Path
from typing import Any

import duckdb
from duckdb_engine import ConnectionWrapper, CursorWrapper, DuckDBEngineWarning
from sqlalchemy.engine.url import URL

# After site-packages, where the package has the same name as the folder `superset`.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from dagster_project.base.private_files import make_private, private_by_default
from dagster_project.base.settings import Settings

SETTINGS = Settings()
private_by_default()
make_private(SETTINGS.superset_dir)
CATALOG = "royalty_flows"  # the catalog that a client sees when it opens the published file


def kept_secret(name: str) -> str:
    """Return a secret of this installation, kept in a file that only its owner can read."""
    path = SETTINGS.superset_dir / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii"
        ) as file:
            file.write(secrets.token_urlsafe(24) + "\n")
    except FileExistsError:
        pass
    return path.read_text("ascii").strip()


SECRET_KEY = kept_secret("secret_key")
SQLALCHEMY_DATABASE_URI = f"sqlite:///{SETTINGS.superset_dir / 'superset.db'}"
SQLALCHEMY_ENGINE_OPTIONS = {"connect_args": {"timeout": 30}}  # SQLite allows one writer at a time

# The published file


def published() -> duckdb.DuckDBPyConnection:
    """Open the published file as it is now, read-only; the connection can reach no other file.

    Within a process DuckDB shares a database by its path, so a server that always has a connection
    open would keep reading a file that was replaced long ago. Each connection therefore attaches
    the file to an in-memory database of its own, which is not shared.
    """
    spill = SETTINGS.superset_dir / "spill"  # the one folder that statements can reach
    con = duckdb.connect(
        config={
            **SETTINGS.duckdb_config,
            "python_enable_replacements": False,
            "temp_directory": str(spill),
        },
    )
    path = str(SETTINGS.warehouse).replace("'", "''")
    con.execute(f"attach '{path}' as {CATALOG} (read_only)")
    con.execute(f"use {CATALOG}")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con


class NotAQuery(duckdb.PermissionException):
    """A statement that does more than read."""


# `enable_logging` to a file ends the process: DuckDB throws where nothing can catch it. The others
# run a text, which can hide any name.
_FUNCTIONS = re.compile(
    r'\b(enable_logging|query|json_execute_serialized_sql)"?(\s|/\*.*?\*/|--[^\n]*\n)*\(',
    re.IGNORECASE | re.DOTALL,
)


def refuse_unless_query(con: duckdb.DuckDBPyConnection, text: str) -> None:
    """Raise NotAQuery unless a text holds only queries, by DuckDB's own parser, or EXPLAIN.

    A client could otherwise attach databases, fill the memory with tables or stop the process:
    a read-only file and a locked configuration do not prevent that.
    """
    for statement in con.extract_statements(text):  # which reads a file for `import database`
        kind = statement.type
        explains = kind == duckdb.StatementType.EXPLAIN and "analyze" not in text.lower()
        if kind != duckdb.StatementType.SELECT and not explains:
            raise NotAQuery(f"only queries are allowed, not {kind.name}")
    if found := _FUNCTIONS.search(text):
        raise NotAQuery(f"the function {found[1].lower()} is not allowed")


class _Cursor(CursorWrapper):
    def __init__(self, con: duckdb.DuckDBPyConnection, wrapper: ConnectionWrapper) -> None:
        super().__init__(con, wrapper)
        self._con = con

    def execute(self, statement: str, parameters: Any = None, context: Any = None) -> None:
        refuse_unless_query(self._con, statement)
        super().execute(statement, parameters, context)

    def executemany(self, statement: str, parameters: Any = None, context: Any = None) -> None:
        refuse_unless_query(self._con, statement)
        super().executemany(statement, parameters, context)


class _Connection(ConnectionWrapper):
    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        super().__init__(con)
        self._con = con

    def cursor(self) -> _Cursor:
        return _Cursor(self._con, self)


def _open_current_file(uri: URL, params: dict[str, Any], *_: Any) -> tuple[URL, dict[str, Any]]:
    """Open each connection to the published file with `published`. Superset keeps none.

    Raises NotAQuery for any other DuckDB database: it could be any file of the machine, and one
    that reads the workbench locks the ETL out.
    """
    if uri.get_backend_name() == "duckdb":
        if uri.database != str(SETTINGS.warehouse):
            raise NotAQuery(f"only {SETTINGS.warehouse} may be opened, not {uri.database}")
        params["creator"] = lambda: _Connection(published())
    return uri, params


DB_CONNECTION_MUTATOR = _open_current_file
# No caching (the default, made explicit): charts always show the live publication.
CACHE_CONFIG = DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}

# Nothing leaves the machine

TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,  # loopback
    "session_cookie_secure": False,
}
ENABLE_CORS = False
DATASET_IMPORT_ALLOWED_DATA_URLS: list[str] = []
FAB_API_SWAGGER_UI = False  # loads scripts from another host
RATELIMIT_STORAGE_URI = "memory://"
LOG_LEVEL = logging.WARNING
warnings.filterwarnings("ignore", category=DuckDBEngineWarning)  # that it does not list indices
warnings.filterwarnings("ignore", message=".*does \\*not\\* support Decimal objects natively")
# Warnings on every page: about a spinner that the package lacks, and metrics other than plain sums.
for name in ("superset.views.base", "superset.utils.core"):
    logging.getLogger(name).setLevel(logging.ERROR)
