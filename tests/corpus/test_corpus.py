"""Broken landing files: each ends accepted with right numbers, or refused with a message.

Here every mutation is tried once on each kind of file; `make test-corrupt-files` tries it on every
file, and on the publishers' own where they are.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.corpus.bench import ACCEPTED, CRASHED, REFUSED, WRONG, Bench, Verdict, staging_views
from tests.corpus.cases import origins, sample
from tests.corpus.mutation import Expected, Mutation, UnchangedFileError, of_bytes
from tests.corpus.table import failures, table
from tests.support import Scenario

pytestmark = pytest.mark.slow

# The minimum number of cases: a mutation that no longer changes anything is not a case.
KINDS = {".csv": 105, ".json": 70, ".xlsx": 95, ".zip": 45, ".xml": 25, ".tsv": 25}


@pytest.fixture
def bench(template: Scenario, tmp_path: Path) -> Bench:
    return Bench(tmp_path, staging_views(template.warehouse.settings.workbench))


@pytest.mark.parametrize("kind", KINDS)
def test_no_broken_file_crashes_hangs_or_gives_wrong_numbers(bench: Bench, kind: str) -> None:
    verdicts = list(sample(bench, kind))
    print(table(verdicts))
    assert failures(verdicts) == []
    assert len(verdicts) >= KINDS[kind]
    assert {verdict.outcome for verdict in verdicts} >= {ACCEPTED, REFUSED}


def _tried(
    bench: Bench, name: str, apply: Callable[[Path, Random], None], expected: Expected
) -> Verdict:
    (origin,) = [one for one in origins() if one.file.name == "made_up_receipts.csv"]
    verdict = bench.try_case(origin, Mutation(name, apply, expected), seed=0)
    assert verdict
    return verdict


def test_the_bench_sees_wrong_numbers(bench: Bench) -> None:
    digit = of_bytes(lambda content, _: content.replace(b"1044000000", b"1054000000"))
    verdict = _tried(bench, "a digit", digit, Expected.SAFE)
    assert verdict.outcome == WRONG
    assert "1054000000" in verdict.message


def test_the_bench_sees_a_good_file_refused(bench: Bench) -> None:
    empty = of_bytes(lambda content, _: b"")
    assert _tried(bench, "empty", empty, Expected.ACCEPTED).outcome == WRONG


def test_the_bench_sees_a_crash(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*given: object, **options: object) -> None:
        raise ZeroDivisionError

    mark = of_bytes(lambda content, _: content + b"\n")
    assert _tried(bench, "a blank line", mark, Expected.SAFE).outcome == ACCEPTED
    monkeypatch.setattr("tests.corpus.bench.load_release", crash)
    assert _tried(bench, "a blank", mark, Expected.SAFE).outcome == CRASHED


def test_a_mutation_that_changes_nothing_is_not_a_case(bench: Bench) -> None:
    (origin,) = [one for one in origins() if one.file.name == "made_up_receipts.csv"]
    same = of_bytes(lambda content, _: content)
    with pytest.raises(UnchangedFileError):
        same(origin.file, Random(0))
    assert bench.try_case(origin, Mutation("same", same, Expected.SAFE), seed=0) is None
