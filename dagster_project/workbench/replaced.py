"""Workbenches replaced by a rebuild, and the folder in which it makes the new one."""

from datetime import datetime
from pathlib import Path

from dagster_project.base.settings import Settings

REPLACED, STAMP = "workbench-replaced-", "%Y%m%dT%H%M%S%f"


def leftovers(settings: Settings) -> Path:
    """Return the folder in which a new workbench is made; only a failed rebuild leaves it."""
    return settings.warehouse_dir / "rebuild"


def replaced_workbenches(settings: Settings) -> list[Path]:
    """Return the replaced workbenches, oldest first, with their write-ahead logs."""
    return sorted(settings.warehouse_dir.glob(f"{REPLACED}*"))


def replaced_at(path: Path) -> datetime:
    """Return when a workbench was replaced, in UTC, from its name."""
    return datetime.strptime(path.name.removeprefix(REPLACED).split(".")[0], STAMP)
