"""The sources: one module per source, found by its `SOURCE`. Adding a module adds the source."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from dagster_project.sources.source import Source


@cache
def all_sources() -> dict[str, Source]:
    """Return every source by its name, in alphabetical order."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = [module.SOURCE for module in modules if hasattr(module, "SOURCE")]
    return {source.name: source for source in sorted(found, key=lambda source: source.name)}
