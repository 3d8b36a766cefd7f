"""The fetchers, one module per publisher: its URLs, and where it states the publication date."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from dagster_project.fetching.fetcher import Fetcher


@cache
def all_fetchers() -> dict[str, Fetcher]:
    """Return every fetcher by its source, in alphabetical order."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = [fetcher for module in modules for fetcher in module.FETCHERS]
    return {fetcher.source: fetcher for fetcher in sorted(found, key=lambda each: each.source)}
