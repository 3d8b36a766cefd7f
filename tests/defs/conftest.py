"""Fixtures of the fetch assets' test: those of fetching."""

from tests.fetching.conftest import settings

__all__ = ["settings"]
