"""Checks without a server: the files in `superset/` agree with the rest of the project."""

import os
import re
import subprocess

import duckdb
import pytest
import yaml

from dagster_project.base.settings import PROJECT_ROOT
from tests.superset.conftest import PYTHON
from tests.support import Warehouse

SUPERSET = PROJECT_ROOT / "superset"


def loaded(folder: str) -> list[dict]:
    files = sorted((SUPERSET / "assets" / folder).rglob("*.yaml"))
    return [yaml.safe_load(path.read_text("utf-8")) for path in files]


def test_superset_reads_with_the_duckdb_that_writes() -> None:
    assert f"\nduckdb=={duckdb.__version__} " in (SUPERSET / "requirements.txt").read_text()


def test_the_exposure_names_the_marts_of_the_dashboard() -> None:
    tables_of = {
        dataset["uuid"]: re.findall(r"marts\.(\w+)", dataset.get("sql", ""))
        or [dataset["table_name"]]
        for dataset in loaded("datasets")
    }
    shown = {table for chart in loaded("charts") for table in tables_of[chart["dataset_uuid"]]}
    exposures = yaml.safe_load((PROJECT_ROOT / "dbt/models/exposures.yml").read_text("utf-8"))
    (exposure,) = [e for e in exposures["exposures"] if e["name"] == "balances_dashboard"]
    assert exposure["depends_on"] == [
        f"ref('{model}')" for model in sorted(shown - {"publication"})
    ]
    (dashboard,) = loaded("dashboards")
    assert exposure["url"].endswith(f"/superset/dashboard/{dashboard['slug']}/")


def test_every_chart_is_on_the_dashboard_and_has_a_dataset() -> None:
    (dashboard,) = loaded("dashboards")
    items = [item for item in dashboard["position"].values() if isinstance(item, dict)]
    placed = [item["meta"]["uuid"] for item in items if item["type"] == "CHART"]
    charts = loaded("charts")
    assert sorted(placed) == sorted(chart["uuid"] for chart in charts)
    datasets = {dataset["uuid"] for dataset in loaded("datasets")}
    assert {chart["dataset_uuid"] for chart in charts} <= datasets


def test_the_database_is_read_only() -> None:
    (database,) = loaded("databases")
    assert database["extra"]["engine_params"] == {"connect_args": {"read_only": True}}
    assert not any(value for key, value in database.items() if key.startswith("allow_"))


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-superset (make superset-env)")
def test_without_a_publication_it_says_what_to_do(folders: Warehouse) -> None:
    ended = subprocess.run(
        [PYTHON, "superset/start.py"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "ROYALTY_SUPERSET_DIR": str(folders.folder / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "make run" in ended.stdout
    assert ended.stderr == ""
