"""Limits on a release and on the process that reads it."""

from dataclasses import dataclass

from dagster_project.base.child import ChildLimits

_READER = ChildLimits(memory=4 << 30, seconds=3600)


@dataclass(frozen=True)
class ReleaseLimits:
    """Files and bytes of one release; what the process that reads it may use.

    The largest real release, a BaTIS bulk file, has 3 GB when unpacked.
    """

    files: int = 1000
    bytes: int = 32 << 30
    reader: ChildLimits = _READER


LIMITS = ReleaseLimits()
