"""Workbenches that a rebuild replaced, and the folder in which it makes the new one."""

from datetime import datetime
from pathlib import Path

from dagster_project.base.settings import Settings

REPLACED, STAMP = "workbench-replaced-", "%Y%m%dT%H%M%S%f"


def leftovers(settings: Settings) -> Path:
    """The folder in which the new workbench is made; left over only by a rebuild that failed."""
    return settings.warehouse_dir / "rebuild"


def replaced_workbenches(settings: Settings) -> list[Path]:
    """Return the workbenches that were replaced, oldest first, with their write-ahead logs."""
    return sorted(settings.warehouse_dir.glob(f"{REPLACED}*"))


def replaced_at(path: Path) -> datetime:
    """Return when a workbench was replaced, in UTC, which its name holds."""
    return datetime.strptime(path.name.removeprefix(REPLACED).split(".")[0], STAMP)
