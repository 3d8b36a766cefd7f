"""A few seconds of the fuzzing; `make test-fuzz` does it for minutes."""

from pathlib import Path

import pytest

from tests.security import fuzz


@pytest.mark.parametrize("name", sorted(fuzz.targets()))
def test_changed_files_are_read_or_refused(name: str) -> None:
    counts, failures = fuzz.fuzz_round(name, 1, 40)
    assert failures == []
    assert counts["read"] + counts["refused"] >= 40


def test_a_file_that_breaks_a_promise_fails_the_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "is_forbidden", lambda text: text == "Japan")
    of = fuzz.targets()["csv"]
    with pytest.raises(AssertionError, match="XML does not allow"):
        fuzz.check(tmp_path, "csv", of, of.seeds[0])
