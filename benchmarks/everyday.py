"""What an everyday run costs: a small release, many vintages, a new vintage of the bulk file.

Each function measures one pair, or what else it measures, in a warehouse that is put into the same
state before each run.
"""

import json
import os
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import results, world_bank
from benchmarks.compare import TABLES, differences
from benchmarks.equal import unequal_tables
from benchmarks.generate import SECOND_RELEASE
from benchmarks.live import from_landing_to_live
from benchmarks.measure import Run, measured, python
from benchmarks.totals import totals
from dagster_project.base.settings import PUBLISHED_FILE, Settings

if TYPE_CHECKING:
    from benchmarks.bench import Bench, Record

_TEXTS = {"ROYALTY_BUNDLED_RELEASES": "true"}
_DEFAULT_LIMIT = Settings.model_fields["duckdb_memory_limit"].default
_DEFAULT_MEMORY = {"ROYALTY_DUCKDB_MEMORY_LIMIT": _DEFAULT_LIMIT}


def second_vintage(bench: "Bench", number: int) -> "Record":
    """A second vintage of the bulk file, in which every row is another, against the first.

    With the default limit of memory: the comparison of two such vintages needs 1 GB.
    """
    bulk = results.records(results.of_rows(bench.rows), "bulk")
    if number < len(bulk) and bench.published(bench.rows).exists():
        first = bulk[number]["runs"]["ours"]
    else:
        first = results.side(bench.pipeline())
    name = f"{bench.rows}_second"
    bench.copy(bench.warehouse(bench.rows), name)
    second = bench.run(bench.second_landing(), name, **_DEFAULT_MEMORY)
    published = bench.folder / f"w_{name}" / PUBLISHED_FILE
    bench.check(totals(bench.rows), False, published)
    bench.check(totals(bench.rows, vintage=1), False, published, SECOND_RELEASE)
    runs = {"second": results.side(second), "first": first}
    return {"memory_limit": _DEFAULT_LIMIT, "runs": runs}


def small_release(bench: "Bench", number: int) -> "Record":
    """One more release of the World Bank's size into the full warehouse, against a floor and the
    imports alone. `bulk` has another side to compare with.
    """
    name, landing, csv = _with_one_small_release(bench)
    before = bench.folder / "before.duckdb"
    shutil.copyfile(bench.folder / f"w_{name}" / PUBLISHED_FILE, before)
    ours = bench.run(landing, name)
    assert f"accepted worldbank_wdi {csv.parent.name}" in ours.output, ours.output
    published = bench.folder / f"w_{name}" / PUBLISHED_FILE
    bench.check(totals(bench.rows), False, published)
    bench.clear("floor")
    floor = measured(
        python("benchmarks.small_floor", csv, before, bench.folder / "w_floor"),
        bench.environment(landing, "floor"),
    )
    if number == 0:
        by_hand = bench.folder / "w_floor" / PUBLISHED_FILE
        found = differences(published, by_hand, "worldbank_wdi", SMALL_TABLES)
        assert not found, found
    imports = bench.imports()
    return {
        "runs": {
            "ours": results.side(ours),
            "floor": results.side(floor),
            "imports": results.side(imports),
        },
        "cpu_beyond_imports_to_floor": round((ours.cpu - imports.cpu) / floor.cpu, 3),
        **_to_bulk(bench, ours),
    }


# The floor leaves what depends on the choice between sources as it was.
SMALL_TABLES = {
    table: columns for table, columns in TABLES.items() if "mirror_asymmetry" not in table
} | {
    "core.dim_release": (),
    "marts.mart_revisions": ("same_members_change_pct", "same_reporters_change_pct"),
}


def _to_bulk(bench: "Bench", ours: Run) -> dict[str, Any]:
    bulk = results.read(results.of_rows(bench.rows)).get("bulk", {}).get("summary", {}).get("ours")
    if not bulk:
        return {}
    return {
        "to_median_of_bulk": {
            what: round(getattr(ours, what) / bulk[f"{what}_s"], 3) for what in ("wall", "cpu")
        }
    }


def _with_one_small_release(bench: "Bench") -> tuple[str, Path, Path]:
    """The full warehouse with one small release in it, and the next one landed."""
    name, landing = f"{bench.rows}_small", bench.folder / f"landing_{bench.rows}_small"
    shutil.rmtree(landing, ignore_errors=True)
    landing.mkdir()
    (landing / "oecd_wto_batis").symlink_to(bench.landing(bench.rows) / "oecd_wto_batis")
    world_bank.land(landing, 0)

    def prepare() -> None:
        bench.ready()
        bench.copy(bench.warehouse(bench.rows), name)
        bench.run(landing, name)

    bench.prepared(name, prepare)
    return name, landing, world_bank.land(landing, 1)


def phases(bench: "Bench", number: int) -> "Record":
    """CPU time of the main job by phase, and the gates' share: odd numbers keep all items."""
    all_items = number % 2 == 1
    run = bench.pipeline(all_items, "benchmarks.phases")
    return {"all_items": all_items, **_by_phase(run)}


def phases_small(bench: "Bench", number: int) -> "Record":
    """The same of one small release into the full warehouse."""
    name, landing, _ = _with_one_small_release(bench)
    return _by_phase(bench.run(landing, name, "benchmarks.phases"))


def _by_phase(run: Run) -> dict[str, Any]:
    found = json.loads(run.output.strip().splitlines()[-1])
    share = round(found["cpu_s"]["gates"] / found["cpu_s"]["all"], 3)
    return {"gates_share_of_cpu": share, **found}


def _small_warehouse(bench: "Bench") -> tuple[str, Path, Path]:
    """A small warehouse, its landing folder, and a release of the World Bank that has not landed.

    ROYALTY_LANDING_DIR: a folder of real files; the release that has not landed is the World Bank's
    largest with some figures revised, a month later. Without it the bundled texts and made-up files.
    """
    name, landing = "small", bench.folder / "landing_small"
    next_release = bench.folder / "next_small" / "worldbank_wdi"
    shutil.rmtree(next_release.parent, ignore_errors=True)
    for folder in (landing, next_release):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    (landing / "worldbank_wdi").mkdir()
    real = os.environ.get("ROYALTY_LANDING_DIR")
    if real:
        for source in Path(real).resolve().iterdir():
            if source.name != "worldbank_wdi" and source.is_dir():
                (landing / source.name).symlink_to(source)
        releases = [*(Path(real).resolve() / "worldbank_wdi").iterdir()]
        for release in releases:
            shutil.copytree(release, landing / "worldbank_wdi" / release.name)
        release = world_bank.revise(max(releases, key=_bytes), next_release)
    else:
        world_bank.land(landing, 0)
        release = world_bank.land(next_release.parent, 1).parent
    bench.prepared(name, partial(bench.run, landing, name, **_TEXTS))
    return name, landing, release


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def small_small(bench: "Bench", number: int) -> "Record":
    """A release of the World Bank into a small warehouse, against the imports; any size."""
    name, landing, release = _small_warehouse(bench)
    release.rename(landing / "worldbank_wdi" / release.name)
    ours = bench.run(landing, name, **_TEXTS)
    assert f"accepted worldbank_wdi {release.name}" in ours.output, ours.output
    return {"runs": {"ours": results.side(ours), "imports": results.side(bench.imports())}}


def landing_to_live(bench: "Bench", number: int) -> "Record":
    """From the last byte landed to the live publication with the automation on, against the same
    release by `make run`; any size.
    """
    name, landing, release = _small_warehouse(bench)
    more = _TEXTS | {"ROYALTY_AUTOMATION": "true", "ROYALTY_SETTLE_SECONDS": ""}
    environment = bench.environment(landing, name, **more)
    del environment["ROYALTY_SETTLE_SECONDS"]  # as a user has it
    at = (number % 5 + 0.5) / 5  # over the whole time between two evaluations
    wall, parts = from_landing_to_live(environment, release, at=at)
    made = small_small(bench, number)["runs"]["ours"]
    return {
        "runs": {"ours": made | {"wall_s": wall}, "make_run": made},
        "seconds": parts,
    }


def growth(bench: "Bench", number: int) -> "Record":
    """One more release of the World Bank's size after 40 others, and after one; any size.

    With the default limit of memory: the first build compares 40 vintages with each other.
    """
    runs = {}
    for name, others in (("after_40", 40), ("after_1", 1)):
        landing = bench.folder / f"landing_{name}"
        shutil.rmtree(landing, ignore_errors=True)
        for vintage in range(others):
            world_bank.land(landing, vintage)
        bench.prepared(name, partial(bench.run, landing, name, **_DEFAULT_MEMORY))
        world_bank.land(landing, others)
        run = bench.run(landing, name, **_DEFAULT_MEMORY)
        assert run.output.count("accepted worldbank_wdi") == 1, run.output
        runs[name] = results.side(run)
    return {"memory_limit": _DEFAULT_LIMIT, "runs": runs}


def equality(bench: "Bench", number: int) -> "Record":
    """Each warehouse of the other series equals one rebuilt from nothing: `make publish` in a copy."""
    rows = bench.rows
    names = (f"{rows}", f"{rows}_small", f"{rows}_second", "small", "after_40", "after_1")
    compared = {}
    for name in names:
        published = bench.folder / f"w_{name}" / PUBLISHED_FILE
        if not published.exists():
            continue
        bench.copy(name, "rebuilt")
        environment = bench.environment(bench.landing(rows), "rebuilt")
        measured(python("dagster_project", "publish"), environment, (0, 2))
        rebuilt = bench.folder / "w_rebuilt" / PUBLISHED_FILE
        assert rebuilt.stat().st_ino != published.stat().st_ino
        tables, unequal = unequal_tables(published, rebuilt)
        assert not unequal, (name, unequal)
        compared[name] = tables
    assert compared
    return {"equal_tables": compared}
