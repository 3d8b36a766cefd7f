"""The environment of dbt and Great Expectations: only this project's variables.

Both read variables that change what runs (`DBT_EXCLUDE_RESOURCE_TYPES=test` leaves out every data
test, `GX_CLOUD_…` another context, `DUCKDB_SQLALCHEMY_POOL` other connections), and their lists
change with each version. So no user variable with these prefixes gets through. Imports neither of
them.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dagster_project.base.cache_folder import cache_folder

FOREIGN = ("DBT_", "GX_", "DUCKDB_")  # covers dbt's newer names, DBT_ENGINE_…, too

# Privacy: no tool may send usage statistics.
_ALWAYS = {"GX_ANALYTICS_ENABLED": "false"}


def clear_environment() -> None:
    """Remove foreign variables for good, at the start of a process; set HOME if there is none."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    for name in _foreign():
        del os.environ[name]
    os.environ.update(_ALWAYS)
    if not os.path.isdir(os.path.expanduser("~")):
        # A container's user may have no entry in passwd, and no HOME: dbt fails without one.
        os.environ["HOME"] = str(cache_folder("home"))


@contextmanager
def own_environment(variables: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run the block with these variables, without any foreign one that dbt or GX would read."""
    ours = _ALWAYS | dict(variables or {})
    before = {name: os.environ.get(name) for name in {*_foreign(), *ours}}
    for name in before:
        os.environ.pop(name, None)
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _foreign() -> list[str]:
    return [name for name in os.environ if name.upper().startswith(FOREIGN)]
