"""Fixtures: the small database on which suites run."""

from tests.gates.test_run_suites import database

__all__ = ["database"]
