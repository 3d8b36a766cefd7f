"""The digest of a build's inputs: the same digest gives the same warehouse."""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

import duckdb

from dagster_project.base.hashing import tree_sha256
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.transform.dbt_runner import dbt_has_changed
from dagster_project.workbench.releases import accepted_files


@cache
def project_fingerprint() -> str:
    """Return the digest of the models, the gates, the code and the engine."""
    roots = [PROJECT_ROOT / name for name in ("dbt", "expectations", "dagster_project")]
    digest = hashlib.sha256(
        tree_sha256(
            roots, frozenset({".sql", ".yml", ".yaml", ".csv", ".md", ".json", ".py"})
        ).encode()
    )
    digest.update(version("duckdb").encode())
    return digest.hexdigest()


def has_changed() -> bool:
    """Whether files of the project have changed since this process has read them.

    dbt's project, suites and code are read once: what has run may not be what the files say now.
    """
    return project_fingerprint.__wrapped__() != project_fingerprint() or dbt_has_changed()


def build_fingerprint(con: duckdb.DuckDBPyConnection) -> str:
    """Return the digest of the accepted files and of the project."""
    return fingerprint_of(accepted_files(con))


def fingerprint_of(accepted: Sequence[tuple]) -> str:
    """Return the digest of these accepted files and of the project."""
    digest = hashlib.sha256(project_fingerprint().encode())
    digest.update(repr(accepted).encode())
    return digest.hexdigest()
