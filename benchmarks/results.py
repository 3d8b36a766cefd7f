"""Results as JSON, one file per size: `results/rows_1000000.json`, and `results/growth.json`.

Each pair is written at once, so an interrupted series keeps its pairs and the same command resumes
it. The summary is recomputed from all records of the series.
"""

import json
import os
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import Run, machine

FOLDER = Path(__file__).with_name("results")


def of_rows(rows: int, folder: Path = FOLDER) -> Path:
    """The file of the results of one size."""
    return folder / f"rows_{rows}.json"


def read(path: Path) -> dict[str, Any]:
    """All series of a file, by name; none if there is no file."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def records(path: Path, name: str) -> list[dict[str, Any]]:
    """The records of one series so far."""
    return read(path).get(name, {}).get("records", [])


def add(path: Path, name: str, record: dict[str, Any]) -> dict[str, Any]:
    """Append one record to a series, and return the series' summary."""
    taken = {
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        "machine": machine(),
        "duckdb": duckdb.__version__,
    }
    return _write(path, name, [*records(path, name), taken | record])


def forget(path: Path, name: str) -> None:
    """Restart a series."""
    if records(path, name):
        _write(path, name, [])


def _write(path: Path, name: str, series: list[dict[str, Any]]) -> dict[str, Any]:
    found = read(path)
    found[name] = {"summary": summary(series), "records": series}
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(found, indent=1) + "\n")
    os.replace(draft, path)
    return found[name]["summary"]


def side(run: Run) -> dict[str, Any]:
    """The costs of one run, as they are stored."""
    return {
        "wall_s": round(run.wall, 3),
        "cpu_s": round(run.cpu, 3),
        "peak_mb": round(run.peak / 2**20),
    }


def summary(series: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of each side, its largest peak, and the ratios of the first side to the others.

    A record holds its sides under `runs`, ours first. Ratios are taken pair by pair: their median,
    minimum and maximum.
    """
    measured = [record["runs"] for record in series if "runs" in record]
    if not measured:
        return {"taken": len(series)}
    ours, *others = measured[0]
    found: dict[str, Any] = {"taken": len(series)}
    for name in (ours, *others):
        found[name] = {
            "wall_s": round(statistics.median(runs[name]["wall_s"] for runs in measured), 3),
            "cpu_s": round(statistics.median(runs[name]["cpu_s"] for runs in measured), 3),
            "peak_mb": max(runs[name]["peak_mb"] or 0 for runs in measured),
        }
    for name in others:
        found[f"{ours}_to_{name}"] = {
            what: _ratios([runs[ours][f"{what}_s"] / runs[name][f"{what}_s"] for runs in measured])
            for what in ("wall", "cpu")
        }
    return found


def _ratios(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }


def line(name: str, record: dict[str, Any], found: dict[str, Any]) -> str:
    """One line for a person: this record, and the ratios of the series so far."""
    runs = record.get("runs", {})
    costs = ", ".join(
        f"{of} {cost['wall_s']:.2f} s ({cost['cpu_s']:.2f} s CPU, {cost['peak_mb']:,} MB)"
        for of, cost in runs.items()
    )
    ratios = "; ".join(
        f"{of.replace('_', ' ')} {ratio['wall']['median']:.2f}"
        f" ({ratio['wall']['min']:.2f} to {ratio['wall']['max']:.2f}),"
        f" CPU {ratio['cpu']['median']:.2f}"
        for of, ratio in found.items()
        if "_to_" in of
    )
    rest = {key: value for key, value in record.items() if key not in ("runs", "equal_to")}
    said = [f"{name} {found['taken']}: {costs}", ratios, str(rest) if rest else ""]
    return " | ".join(filter(None, said))
