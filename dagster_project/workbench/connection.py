"""The workbench's lock and connections."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
from filelock import Timeout

from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.logs import say
from dagster_project.base.machine_errors import damaged_database, machine_error
from dagster_project.base.private_files import (
    make_private,
    private_files,
    public_folder,
    refuse_writes,
)
from dagster_project.base.settings import PUBLISHED_FILE, Settings
from dagster_project.workbench.ledger_schema import (
    LEDGER_VERSION,
    create_ledger,
    refuse_newer_ledger,
)
from dagster_project.workbench.lock import private_lock

# Commands that only read the ledger hold the lock briefly: writers wait for them.
PATIENCE_SECONDS = 5

# What the warehouse folder holds; locks close themselves.
_PUBLISHED = (
    PUBLISHED_FILE,
    f"{PUBLISHED_FILE}.minisig",
    "publications",
    "exports",
    "reports",
    "report",
)
_PRIVATE = ("workbench*", "candidate", "dbt_target", "rebuild", "trial", "*.wal", "*.tmp", "*.new")


@contextmanager
def write_lock(settings: Settings, timeout: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the lock that protects all writes to the warehouse folder.

    The operating system releases it when the process dies. Re-entrant within a process. Raises
    TryLater if another process holds it for longer than `timeout` seconds.
    """
    with ExitStack() as stack:
        stack.enter_context(private_files())
        prepare_folder(settings)
        try:
            stack.enter_context(private_lock(settings.warehouse_dir / ".write.lock", timeout))
        except Timeout:
            raise TryLater(
                "another run is writing",
                where=str(settings.warehouse_dir),
                expected="one writer at a time",
                found="the write lock held by another process",
                fix="wait until that run has ended, then start again",
            ) from None
        yield


def prepare_folder(settings: Settings) -> None:
    """Create the warehouse folder, and close what is not published to others.

    Others may read the folder, for the published file, but not write: they could replace it.
    """
    public_folder(settings.warehouse_dir)
    refuse_writes(settings.warehouse_dir)
    for name in _PUBLISHED:
        if (path := settings.warehouse_dir / name).exists():
            settings.readers.may_read(path)
    if settings.read_group:
        settings.readers.may_enter(settings.warehouse_dir)
    for pattern in _PRIVATE:
        for path in settings.warehouse_dir.glob(pattern):
            make_private(path)


@contextmanager
def reading_lock(settings: Settings, timeout: float = 0) -> Iterator[None]:
    """Hold the write lock, so that nothing changes, where the folder can be written to.

    A reader who cannot write, or a read-only mount, has DuckDB's own lock. Raises as `write_lock`.
    """
    folder = settings.warehouse_dir
    with ExitStack() as stack:
        if not folder.exists() or os.access(folder, os.W_OK):
            stack.enter_context(write_lock(settings, timeout))
        yield


@contextmanager
def open_workbench(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the workbench for writing, and create missing schemas and ledger tables.

    Raises BadInput if it is lost, damaged, of a newer version, open in another process, or if the
    disk is full.
    """
    public_folder(settings.warehouse_dir)
    refuse_if_lost(settings.workbench)
    with _report_machine_trouble(settings):
        with private_files():
            con = duckdb.connect(settings.workbench, config=settings.duckdb_config)
        make_private(settings.workbench)
        try:
            upgraded = create_ledger(con)
        except BaseException:
            con.close()
            raise
    with con:
        if upgraded:
            say(
                f"{settings.workbench.name}: ledger upgraded to version {LEDGER_VERSION}; the next"
                " build builds everything again"
            )
        yield con


@contextmanager
def read_workbench(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the workbench for reading, without waiting; an empty one if there is none.

    Holds the lock, so close it soon: DuckDB does not let others write to a file that a reader has
    open. Raises TryLater if another process is writing, BadInput as `open_workbench` does.
    """
    with reading_lock(settings):
        refuse_if_lost(settings.workbench)
        with _report_machine_trouble(settings):
            if settings.workbench.exists():
                con = duckdb.connect(
                    settings.workbench, read_only=True, config=settings.duckdb_config
                )
            else:
                con = duckdb.connect()
                create_ledger(con)
        with con:
            refuse_newer_ledger(con)
            yield con


def refuse_if_lost(workbench: Path) -> None:
    """Raise BadInput if there is a published file but not the workbench that it was built from.

    In an empty one every release would be new, and manual decisions would be lost.
    """
    published = workbench.with_name(PUBLISHED_FILE)
    if published.exists() and not workbench.exists():
        raise BadInput(
            "the workbench is lost",
            where=str(workbench),
            expected="the file that the published one was built from, with the manual decisions",
            found="a published file and no workbench",
            fix="run `make rebuild` to make one from the landing folder, with the decisions in the"
            " published file; or restore the file",
        )


@contextmanager
def _report_machine_trouble(settings: Settings) -> Iterator[None]:
    try:
        yield
    except duckdb.InternalException as error:  # its own checks of the file fail
        raise damaged_database(error, str(settings.workbench)) from error
    except (duckdb.Error, OSError) as error:
        problem = machine_error(error, str(settings.workbench))
        if problem is None:
            raise
        raise problem from error


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run the block in one transaction: commit all of it, or nothing."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()
