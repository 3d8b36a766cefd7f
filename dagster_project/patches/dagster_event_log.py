"""Dagster's event log on SQLite, with connections that stay open, for the main job.

For every event, Dagster reopens the run's file, SQLAlchemy recompiles every statement, and Dagster
checks whether the tables of asset checks exist: the thousand events of one build cost as much CPU
as reading ten million rows. The files are the same, so the UI reads them as before. Needed until
Dagster keeps its engines.

Written for dagster 1.13.27. Measured: 1.6 ms of CPU time per event instead of 7.0, which is 18 % of
a first run that loads 23 releases (1,536 events).
Upstream: https://github.com/dagster-io/dagster/issues/19618 (events are written one by one).
Off: `ROYALTY_PATCHES=off`, or a list without `dagster_event_log`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import StaticPool

_BUSY_SECONDS = 30
_FILES_KEPT_OPEN = 4  # the run's, the index, and those of other runs that are read


class OpenEventLog(SqliteEventLogStorage):
    """The event log of one process, on Dagster's own files."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, sqlalchemy.Engine] = {}
        self._tables_seen: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "OpenEventLog":
        """Return the storage for an instance's settings."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        with self._db_lock:
            engine = self._engines.pop(shard, None) or self._engine_of(shard)
            self._engines[shard] = engine  # most recently used last
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection
            while len(self._engines) > _FILES_KEPT_OPEN:
                self._engines.pop(next(iter(self._engines))).dispose()

    def _engine_of(self, shard: str) -> sqlalchemy.Engine:
        """Return an engine whose commits survive a crash of the process, which is enough.

        A power failure may lose the last events of a run, but does not corrupt the files. The
        ledger, which alone decides on publication, is not among them.
        """
        engine = sqlalchemy.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        with engine.connect() as connection:
            connection.exec_driver_sql("pragma synchronous = normal")
        return engine

    def has_table(self, table_name: str) -> bool:
        """Whether a table exists; tables that were found are remembered."""
        if table_name not in self._tables_seen and super().has_table(table_name):
            self._tables_seen.add(table_name)
        return table_name in self._tables_seen

    def dispose(self) -> None:
        """Close the files."""
        while self._engines:
            self._engines.popitem()[1].dispose()
        super().dispose()


def open_event_log(home: Path) -> dict[str, Any]:
    """Return the value of `event_log_storage` in an instance's settings."""
    return {
        "module": OpenEventLog.__module__,
        "class": OpenEventLog.__name__,
        "config": {"base_dir": f"{home}/history/runs"},
    }
