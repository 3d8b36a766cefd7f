"""The PostgreSQL database that holds Dagster's runs, events and schedules, if one is set.

Its URL holds a password: it goes from the environment to Dagster, and into no file, message or log.
"""

import logging
import os

from dagster_project.base.errors import BadInput
from dagster_project.base.machine_errors import machine_error

VARIABLE = "ROYALTY_DAGSTER_POSTGRES_URL"

# Of dagster.yaml. Each process reads the URL from its own environment.
STORAGE = f"""
storage:
  postgres:
    postgres_url:
      env: {VARIABLE}
"""

_DRIVER = "postgresql+psycopg2"  # the one that dagster-postgres brings
_SCHEMES = ("postgresql", "postgres", _DRIVER)
_CONNECT_SECONDS = 10


def use_postgres() -> bool:
    """Whether Dagster's storage is in PostgreSQL; if so, the database has answered.

    Names the driver in the URL: SQLAlchemy's default is another one. Raises BadInput if the
    variable holds no URL, or the database cannot be reached.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return False
    import sqlalchemy
    from sqlalchemy.pool import NullPool

    try:
        url = sqlalchemy.make_url(text)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise _no_url(
            "text that is not the URL of a database"
        ) from None  # it may quote the password
    if url.drivername not in _SCHEMES:
        raise _no_url(f"a URL of {url.drivername}")
    if "@" in (url.host or ""):
        raise _no_url("a host name with @, probably the end of a password")
    url = url.set(drivername=_DRIVER)
    options = {"connect_timeout": _CONNECT_SECONDS}
    try:
        sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=options).connect().close()
    except sqlalchemy.exc.DBAPIError as error:
        raise machine_error(error.orig or error, VARIABLE) or _no_url(str(error.orig)) from None
    os.environ[VARIABLE] = url.render_as_string(hide_password=False)
    logging.getLogger().addFilter(_is_no_retry)
    return True


def _is_no_retry(record: logging.LogRecord) -> bool:
    """Whether a log line is worth showing: a retry that succeeds is not, one that fails raises."""
    return not record.getMessage().startswith("Retrying failed database connection")


def _no_url(found: str) -> BadInput:
    return BadInput(
        "an invalid setting",
        where=VARIABLE,
        expected="postgresql://user:password@host:5432/database, with special characters in the"
        " password percent-encoded",
        found=found,
        fix="correct the variable, or unset it",
    )
