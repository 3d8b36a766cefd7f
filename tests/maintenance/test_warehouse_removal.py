"""`make clean-warehouse` removes the warehouse and nothing else, and asks before."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.__main__ import main
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.workbench.connection import write_lock
from tests.support import Warehouse


class Terminal(io.StringIO):
    """A person who types an answer."""

    def isatty(self) -> bool:
        return True


def left(warehouse: Warehouse) -> set[str]:
    return {path.name for path in warehouse.folder.iterdir()}


def test_it_lists_what_it_would_remove_and_without_a_terminal_removes_nothing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    before = set(warehouse.settings.warehouse_dir.iterdir())
    assert main(["clean-warehouse"]) == 1
    said = capsys.readouterr().out
    assert set(warehouse.settings.warehouse_dir.iterdir()) == before
    for path in (warehouse.settings.warehouse, warehouse.settings.workbench):
        assert re.search(rf"^{re.escape(str(path))} \([\d,]+ bytes\)$", said, re.MULTILINE)
    assert "YES=1" in said


@pytest.mark.parametrize("answer", ["", "no", "y", "yes please"])
def test_only_yes_is_yes(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
    assert main(["clean-warehouse"]) == 1
    assert warehouse.settings.workbench.exists()


@pytest.mark.parametrize("arguments", [["--yes"], []])
def test_it_removes_what_the_project_made_and_keeps_the_rest(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    foreign = warehouse.settings.warehouse_dir / "budget.xlsx"
    foreign.write_text("not ours")
    home = warehouse.folder / "dagster_home"
    (home / "history").mkdir(parents=True)
    (home / "notes").mkdir()
    landed = sorted(warehouse.landing.rglob("*"))
    assert main(["clean-warehouse", *arguments]) == 0
    assert list(warehouse.settings.warehouse_dir.iterdir()) == [foreign]
    assert list(home.iterdir()) == [home / "notes"]
    assert sorted(warehouse.landing.rglob("*")) == landed
    foreign.unlink()
    assert main(["clean-warehouse", "--yes"]) == 0


def test_an_empty_folder_goes_too(warehouse: Warehouse) -> None:
    assert main(["clean-warehouse", "--yes"]) == 0
    assert not warehouse.settings.warehouse_dir.exists()


def test_nothing_is_removed_while_a_run_is_writing(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import sys; from dagster_project.__main__ import main; sys.exit(main(['clean-warehouse',"
        " '--yes']))"
    )
    with write_lock(warehouse.settings):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "another run is writing" in done.stdout
    assert warehouse.settings.workbench.exists()


def test_make_clean_touches_no_data(tmp_path: Path) -> None:
    data = ["warehouse", ".dagster", "landing", ".superset", ".env", "docs"]
    made = [".venv", ".tools", ".cache", "dbt/target", "dbt/logs", ".mypy_cache"]
    for name in (*data, *made):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").touch()
    makefile = str(PROJECT_ROOT / "Makefile")
    for target in ("clean", "clean"):
        subprocess.run(["make", "-f", makefile, target], cwd=tmp_path, check=True)
    assert [name for name in data if not (tmp_path / name / "file").exists()] == []
    assert [name for name in made if (tmp_path / name).exists()] == []
