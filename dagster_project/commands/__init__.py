"""The commands of the command line, by name: each takes the settings and its options."""

import argparse
from collections.abc import Callable, Mapping

from dagster_project.base.settings import Settings
from dagster_project.commands import building, reading, removing, serving
from dagster_project.ingest.manual_decisions import DECISIONS

COMMANDS: Mapping[str, Callable[[Settings, argparse.Namespace], int]] = {
    "run": building.run_pipeline,
    "publish": building.publish,
    "rebuild": building.rebuild_workbench,
    "verify": building.verify_publication,
    "upload": building.upload_publication,
    "rollback": building.roll_back_publication,
    **dict.fromkeys(DECISIONS, building.decide),
    "status": reading.show_status,
    "report": reading.build_report,
    "sql": reading.open_shell,
    "metrics": reading.query_metrics,
    "dev": serving.open_ui,
    "serve": serving.become_service,
    "install-service": serving.install_service,
    "prune": removing.prune_leftovers,
    "clean-warehouse": removing.remove_warehouse,
    "docs": reading.write_docs,
}
