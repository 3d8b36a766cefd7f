"""A round of the crash harness; `make test-crashes` runs any number of them."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.postgres import missing
from tests.support import Scenario
from tests.survival.crash_tally import Tally
from tests.survival.crashes import BOUNDARIES, POINTS


def test_every_point_at_which_a_run_is_killed_is_a_function_of_the_module_it_names() -> None:
    points = [*(point for phase in POINTS.values() for point in phase), *BOUNDARIES.values()]
    for module, _, name in (point.function.partition(":") for point in points):
        assert callable(getattr(import_module(module), name)), f"{module}:{name}"


pytestmark = pytest.mark.slow


def killed_at(
    template: Scenario,
    folder: Path,
    *,
    kills: int,
    chosen: int,
    by_chance: int,
    daemon: int = 0,
    postgres: int = 0,
) -> dict[str, Any]:
    """Kill runs on copies of the template, whose result must be the undisturbed one. Returns the
    summary.
    """
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.survival.crash_series"),
            *("--kills", str(kills), "--seed", "20210915"),
            *("--chosen", str(chosen), "--by-chance", str(by_chance)),
            *("--daemon", str(daemon), "--postgres", str(postgres)),
            *("--folder", str(folder / "kills"), "--template", str(template.warehouse.folder)),
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    kinds = {"ingest", "incremental build", "publication", "process of its own"}
    assert summary["tally"]["by_run"].keys() >= kinds
    assert summary["results compared"] > len(kinds)
    problems = ("lost", "unaudited", "differing", "broken runs")
    assert [summary[kind] for kind in problems] == [0, 0, 0, 0]
    return dict(summary)


def test_after_any_crash_the_next_run_gives_the_result_of_an_undisturbed_one(
    template: Scenario, tmp_path: Path
) -> None:
    kinds = {"full build"} if missing() else {"full build", "PostgreSQL under a run"}
    summary = killed_at(template, tmp_path, kills=30, chosen=2, by_chance=1, daemon=1, postgres=2)
    assert summary["kills"] >= 30
    by_run = summary["tally"]["by_run"]
    assert by_run.keys() >= kinds
    assert sum(by_run.get(kind, 0) for kind in ("daemon", "daemon with its runs")) == 1


def test_an_interrupted_series_goes_on_and_one_that_has_ended_starts_again(tmp_path: Path) -> None:
    results = tmp_path / "crashes.json"
    assert Tally.of_series(None) == Tally.of_series(results) == Tally()
    tally = Tally(seeds=[1], results_compared=2, seconds=3)
    tally.count("ingest", "entering a", by_chance=False)
    tally.count("ingest", "in load", by_chance=True)

    def after(kills: int) -> Tally:
        results.write_text(json.dumps(tally.summary(kills)))
        return Tally.of_series(results)

    assert after(kills=3) == tally
    assert after(kills=2) == Tally()
    tally.lost.append("a made-up problem")
    assert after(kills=3) == Tally()
