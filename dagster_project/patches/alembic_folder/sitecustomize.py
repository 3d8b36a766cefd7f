"""Run by Python when it starts: Alembic takes each % in the path of its own file for itself."""

import importlib
from collections.abc import Mapping
from configparser import ConfigParser


class EscapedDefaults(ConfigParser):
    """A parser with defaults that are not patterns."""

    def __init__(self, defaults: Mapping[str, str]) -> None:
        super().__init__({name: value.replace("%", "%%") for name, value in defaults.items()})


# By name: Alembic comes with Dagster.
vars(importlib.import_module("alembic.config"))["ConfigParser"] = EscapedDefaults
