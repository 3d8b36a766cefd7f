"""A trial: the same work on a copy of the warehouse, in a child process that it may end.

It does what the interrupted run did, through the same assets and gates: loads and gates one
release, or builds everything and publishes it, in the copy.
"""

import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from dagster_project.base.child import ChildDied, ChildLimits, Report, run_in_child
from dagster_project.base.native_crash import FAULTS, Doing
from dagster_project.base.settings import Settings
from dagster_project.defs.dbt_layers import layer_assets
from dagster_project.defs.gate_checks import layer_gate, raw_gate
from dagster_project.defs.publication import publication
from dagster_project.defs.raw import raw_assets
from dagster_project.defs.resources import resources
from dagster_project.ingest.raw_rows import restore_superseded
from dagster_project.sources import all_sources
from dagster_project.transform.layers import LAYERS
from dagster_project.workbench.connection import open_workbench, transaction
from dagster_project.workbench.releases import accepted_files, set_release_status

Release = tuple[str, date]

# DuckDB limits its own memory; a trial that the machine ends, for memory or time, says nothing.
_LIMITS = ChildLimits(memory=1 << 60, seconds=6 * 3600)


@dataclass(frozen=True)
class _Request:
    settings: Settings
    doing: Doing
    without: frozenset[Release]


def crash_of_trial(
    settings: Settings, doing: Doing, without: Collection[Release] = ()
) -> str | None:
    """Repeat an interrupted work without some accepted releases; return how native code ended it.

    None if it came to an end, if only with failures. The warehouse folder needs space for a copy.
    The caller holds the write lock, and the workbench is closed.
    """
    folder = settings.warehouse_dir / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        shutil.copyfile(settings.workbench, folder / settings.workbench.name)
        with suppress(FileNotFoundError):
            os.link(settings.warehouse, folder / settings.warehouse.name)
        copy = settings.model_copy(update={"warehouse_dir": folder, "signing_key": None})
        request = _Request(copy, doing, frozenset(without))
        run_in_child(_repeat, request, folder=folder, limits=_LIMITS, report=lambda _: None)
    except ChildDied as death:
        return str(death) if death.code and -death.code in FAULTS else None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None


# The child's side


def _repeat(request: _Request, report: Report) -> None:
    settings, doing = request.settings, request.doing
    with open_workbench(settings) as con, transaction(con):
        for source, day, *_, loaded_at in accepted_files(con):
            if (source, day) in request.without:
                set_release_status(con, source, day, loaded_at, "rejected", "not in this trial")
                restore_superseded(con, source, day)
    assets, ops = _up_to(doing.what), {}
    with dg.DagsterInstance.ephemeral() as instance:
        if doing.source:
            source = all_sources()[doing.source]
            assets = [raw_assets(source), raw_gate(source)]
            ops = {f"load_{source.name}": {"config": {"reload": True}}}
            instance.add_dynamic_partitions(source.name, [doing.release])
        dg.materialize(
            assets,
            run_config={
                "ops": ops,
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            instance=instance,
            resources=resources(settings),
            partition_key=doing.release or None,
            raise_on_error=False,
        )


def _up_to(what: str) -> list[Any]:
    """Return the layers, gates and publication that a build has come to when it ended."""
    steps = [
        (f"{kind} of {layer.name}", assets(layer))
        for layer in LAYERS
        for kind, assets in (("build", layer_assets), ("gate", layer_gate))
    ]
    names = [name for name, _ in steps]
    if what in names:
        return [assets for _, assets in steps[: names.index(what) + 1]]
    return [*(assets for _, assets in steps), publication]
