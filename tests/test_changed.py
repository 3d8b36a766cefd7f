"""The choice of tests for a diff."""

import pytest

from tests.changed import SLOW, texts, touched


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("dagster_project/layouts/csv_layout.py", "tests/layouts/test_csv_layout.py"),  # beside it
        ("dagster_project/layouts/csv_layout.py", "tests/layouts/test_csv_line_filter.py"),
        ("dagster_project/layouts/csv_layout.py", "tests/pipeline/test_run.py"),  # a whole run
        ("dagster_project/ingest/load_release.py", "tests/sources/test_ons_itis.py"),
        ("dagster_project/fetching/fetcher.py", "tests/fetching/test_fetch_release.py"),
        ("dbt/models/core/dim_period.sql", "tests/dbt/test_macros.py"),
        ("dbt/models/core/dim_period.sql", "tests/pipeline/test_run.py"),
        ("expectations/raw/published_figures__figures.json", "tests/gates/test_raw_suites.py"),
        ("expectations/raw/published_figures__figures.json", "tests/defs/test_set_aside.py"),
        ("docs/runbook.md", "tests/pipeline/test_operations.py"),  # which names it
        ("docs/new.md", "tests/test_docs.py"),
        ("Makefile", "tests/test_targets.py"),
        ("tests/gates/cases.py", "tests/sources/test_ons_itis.py"),
        ("tests/base/test_hashing.py", "tests/base/test_hashing.py"),
        ("tests/survival/test_readers.py", "tests/survival/test_readers.py"),
    ],
)
def test_a_changed_file_touches_its_tests(file: str, expected: str) -> None:
    assert expected in touched([file])


def test_a_changed_file_leaves_other_tests_out() -> None:
    assert touched(["tests/base/test_hashing.py"]) == ["tests/base/test_hashing.py"]
    assert touched(["no" * 2 + ".bin"]) == []  # put together, as a test that names it is touched
    for file in ("dagster_project/layouts/csv_layout.py", "docs/runbook.md"):
        assert len(touched([file])) < len(texts()) / 3


def test_shared_test_code_touches_all_tests_except_slow_ones() -> None:
    slow = {test for test, text in texts().items() if SLOW.search(text)}
    assert "tests/report/test_browser.py" in slow
    assert "tests/superset/test_files.py" not in slow
    assert touched(["tests/support.py"]) == sorted(texts().keys() - slow)
