"""The made-up revisions: each changes its file, and every source has some."""

from datetime import date
from pathlib import Path
from random import Random

import pytest

from dagster_project.sources import all_sources
from tests.survival.revisions import (
    REVISIONS,
    Base,
    Change,
    applicable,
    bases,
    land,
    revise,
)

pytestmark = pytest.mark.slow

CASES = [
    pytest.param(base, path, revision, id=f"{base.source} {base.day} {path.name}: {revision.what}")
    for base in bases()
    for path, revision in applicable(base)
]


def test_every_source_and_every_release_has_revisions() -> None:
    assert set(REVISIONS) == set(all_sources()) == {base.source for base in bases()}
    assert [base for base in bases() if not applicable(base)] == []


@pytest.mark.parametrize(("base", "path", "revision"), CASES)
def test_a_revision_changes_its_file(
    base: Base, path: Path, revision: Change, tmp_path: Path
) -> None:
    land(tmp_path, base, base.day, [], Random(1))
    copied = tmp_path / base.source / str(base.day) / path.name
    assert any(
        revise(copied, revision, Random(seed)) for seed in (1, 2)
    )  # one digit may be as it was


def test_a_publishers_own_text_gets_another_figure(tmp_path: Path) -> None:
    path = tmp_path / "answer.csv"
    path.write_text("Year,Value\n2020,12.5\n2021,1044000000\n")
    ((same, revision),) = applicable(Base("worldbank_wdi", date(2021, 9, 15), (path,)))
    assert same == path
    assert any(revise(path, revision, Random(seed)) for seed in (1, 2))
    lines = path.read_text().splitlines()
    assert [line[:-1] for line in lines] == ["Year,Valu", "2020,12.", "2021,104400000"]


def test_every_revision_is_used() -> None:
    used = {id(revision) for base in bases() for _, revision in applicable(base)}
    assert [each for of in REVISIONS.values() for each in of if id(each) not in used] == []
