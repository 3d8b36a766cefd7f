"""The studies' queries compile and return rows."""

from dagster_project.transform.dbt_runner import manifest, run_dbt
from tests.support import Warehouse, rows


def test_every_analysis_compiles_and_runs_on_the_file(warehouse: Warehouse) -> None:
    analyses = {
        node["name"] for node in manifest()["nodes"].values() if node["resource_type"] == "analysis"
    }
    warehouse.restore_candidate()
    results = run_dbt(warehouse.settings, ["compile", "--select", "resource_type:analysis"])
    assert {result.node.name for result in results} == analyses != set()
    for result in results:
        rows(warehouse.settings.candidate, str(vars(result.node)["compiled_code"]))
