"""Removes the warehouse: what the project has written to its folder and to Dagster's home.

Other files in the two folders stay, and so does the landing folder.
"""

from pathlib import Path

from dagster_project.base.durable_files import remove
from dagster_project.base.settings import PUBLISHED_FILE, Settings

_OF_WAREHOUSE = (
    f"{PUBLISHED_FILE}*",
    "publications",
    "exports",
    "report",
    "reports",
    "workbench*.duckdb*",
    "candidate",
    "dbt_target",
    "rebuild",
    "report.new",
    "report.old",
    ".probe-*",
    ".fetch-*.lock",
    ".write.lock",  # last: it is held meanwhile
)
# Not `cache`, `logs` and the like: the home may be a folder of other things, too.
_OF_DAGSTER = ("history", "schedules", "storage", "dagster.yaml", "make_run.yaml")


def warehouse_contents(settings: Settings, dagster_home: Path) -> list[Path]:
    """Return the files and folders that `remove_contents` would remove."""
    return [
        path
        for folder, patterns in (
            (dagster_home, _OF_DAGSTER),
            (settings.warehouse_dir, _OF_WAREHOUSE),
        )
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
    ]


def remove_contents(contents: list[Path]) -> None:
    """Remove them, and the folders that they were in if nothing else is. Hold the write lock."""
    for path in contents:
        remove(path)
    for folder in {path.parent for path in contents}:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; links count nothing."""
    if path.is_symlink():
        return 0
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file() and not file.is_symlink())
