"""What a build depends on, in one digest: a build with the same digest gives the same warehouse."""

import hashlib
from functools import cache
from importlib.metadata import version

import duckdb

from dagster_project import ledger
from dagster_project.fingerprint import tree_sha256
from dagster_project.settings import PROJECT_ROOT


@cache
def _project_state() -> str:
    roots = [PROJECT_ROOT / name for name in ("dbt", "expectations", "dagster_project")]
    return tree_sha256(roots, frozenset({".sql", ".yml", ".csv", ".md", ".json", ".py"}))


def build_fingerprint(con: duckdb.DuckDBPyConnection) -> str:
    """Return the digest of the accepted files, the models, the gates, the code and the engine."""
    digest = hashlib.sha256(_project_state().encode())
    digest.update(version("duckdb").encode())
    digest.update(repr(ledger.accepted_files(con)).encode())
    return digest.hexdigest()
