"""The page for the person on duty shows what the commands print, except for names and numbers."""

import re
import shlex

import pytest
from dagster import DagsterInstance

from dagster_project.__main__ import main
from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.settings import PROJECT_ROOT
from tests.support import Scenario, Warehouse

PAGE = PROJECT_ROOT / "docs" / "runbook.md"
BLOCK = re.compile(r"```console\n(?P<text>.*?)```", re.DOTALL)
SLOW = {"publish", "rebuild"}  # shown by runs that other tests make


def shown() -> list[tuple[list[str], list[str]]]:
    """Each command of the page, in order, with the lines shown below it."""
    commands: list[tuple[list[str], list[str]]] = []
    for block in BLOCK.finditer(PAGE.read_text("utf-8")):
        for line in block["text"].splitlines():
            if line.startswith("$ make "):
                commands.append((shlex.split(line)[2:], []))
            else:
                commands[-1][1].append(line)
    return commands


def arguments(make: list[str]) -> list[str]:
    """The command line that a make target runs."""
    target, *variables = make
    given = dict(variable.split("=", 1) for variable in variables)
    found = [target, *filter(None, [given.get("RELEASE")])]
    for name, option in (("REASON", "--reason"), ("TO", "--to")):
        found += [option, given[name]] if name in given else []
    return [*found, *(["--dry-run"] if "DRY_RUN" in given else [])]


MASKS = {
    r"/\S*/(?=warehouse)": "/",
    r"\d{4}-\d\d-\d\d \d\d:\d\d": "TIME",
    r"\d+ days ago|\d+ h \d+ min ago": "AGO",
    r"\d{8}T\d+": "ID",
    r"\b[0-9a-f]{64}\b": "SHA-256",
    r"[\d.,]+ (?=GB|MB|bytes)": "SIZE ",
    r" +": " ",
}


def masked(text: str) -> list[str]:
    """Lines without dates, ids, paths and other details that differ from run to run."""
    for pattern, mask in MASKS.items():
        text = re.sub(pattern, mask, text)
    return [line for line in text.splitlines() if line.strip()]


def appear_in(lines: list[str], output: str) -> bool:
    """Whether the lines occur in the output in this order; `...` stands for any others."""
    printed = iter(masked(output))
    return all(line in printed for line in masked("\n".join(lines)) if line != "...")


@pytest.fixture
def on_duty(warehouse: Warehouse) -> Warehouse:
    """A warehouse with two publications and a Dagster instance."""
    dagster_home()
    with DagsterInstance.get():
        pass
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    return warehouse


def test_the_commands_print_the_lines_of_the_page(
    on_duty: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    for make, lines in shown():
        if make[0] in SLOW:
            continue
        if make[0] == "prune":
            (on_duty.settings.warehouse_dir / "rebuild").mkdir()
        assert main(arguments(make)) == 0
        output = capsys.readouterr().out
        assert appear_in(lines, output), f"{make}\n{output}"


def test_a_rebuild_prints_the_lines_of_the_page(after_damage: Scenario) -> None:
    slow = {make[0]: lines for make, lines in shown() if make[0] in SLOW}
    assert slow.keys() == SLOW
    for make, lines in slow.items():
        assert appear_in(lines, after_damage.outcome.output), make


def test_lines_that_no_command_prints_are_found() -> None:
    assert not appear_in(["publication 1 is live"], "publication 1 is not live")
    assert not appear_in(["second", "first"], "first\nsecond")
