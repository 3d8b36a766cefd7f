"""Superset's settings. The paths of the published file and Superset's own files are in `Settings`.

Loopback only, and nothing leaves the machine: no telemetry, no remote maps or fonts, and a content
security policy that makes the browser refuse them.
"""

import logging
import os
import secrets
import sys
import warnings
from pathlib import Path
from typing import Any

import duckdb
from duckdb_engine import ConnectionWrapper, DuckDBEngineWarning
from sqlalchemy.engine.url import URL

# After site-packages, where the package has the same name as the folder `superset`.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from dagster_project.base.settings import Settings

SETTINGS = Settings()
CATALOG = "royalty_flows"  # the catalog that a client sees when it opens the published file


def kept_secret(name: str) -> str:
    """Return a secret of this installation, kept in a file that only its owner can read."""
    path = SETTINGS.superset_dir / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
    except FileExistsError:
        pass
    return path.read_text().strip()


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
    con = duckdb.connect(
        config={**SETTINGS.duckdb_config, "python_enable_replacements": False},
    )
    path = str(SETTINGS.warehouse).replace("'", "''")
    con.execute(f"attach '{path}' as {CATALOG} (read_only)")
    con.execute(f"use {CATALOG}")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con


def _open_current_file(uri: URL, params: dict[str, Any], *_: Any) -> tuple[URL, dict[str, Any]]:
    """Open each connection to the published file with `published`. Superset keeps none."""
    if uri.drivername == "duckdb" and uri.database == str(SETTINGS.warehouse):
        params["creator"] = lambda: ConnectionWrapper(published())
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
