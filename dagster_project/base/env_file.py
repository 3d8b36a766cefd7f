"""Settings in a file: `.env` in the project's folder, or the one that `ROYALTY_ENV_FILE` names.

One order everywhere: the environment, then the file, then the defaults. Each process reads the file
into its environment when it starts, so that libraries (Dagster, httpx) and child processes see the
same; Dagster's own reading of `.env`, which would override the environment, is off (dagster.yaml).
"""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic_settings import DotEnvSettingsSource

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import FOLDERS, PREFIX, Settings, env_file

# Read from the environment before, or without, `Settings`.
_OTHERS = {"ROYALTY_ENV_FILE", "ROYALTY_CACHE_DIR", "ROYALTY_SEEDS_DIR"}
_PASSWORD = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")


def load_env_file() -> dict[str, str]:
    """Set the variables of the file that the environment does not have.

    Returns where each variable comes from, by name in upper case: `environment`, or the file.
    Raises BadInput if the file cannot be read.
    """
    path, origins = env_file(), {name.upper(): "environment" for name in os.environ}
    if path is None:
        return origins
    try:
        if path.exists():
            path.read_text("utf-8-sig")
        source = DotEnvSettingsSource(
            Settings, env_file=path, env_file_encoding="utf-8-sig", case_sensitive=True
        )
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "a file of settings that cannot be read",
            where=str(path),
            expected="lines of NAME=value, in UTF-8",
            found=str(error),
            fix="correct the file, remove it, or name another in ROYALTY_ENV_FILE",
        ) from error
    for name, value in source.env_vars.items():
        if value is not None and name.upper() not in origins:
            os.environ[name] = value
            origins[name.upper()] = str(path)
    return origins


def unknown_settings() -> Iterator[str]:
    """Yield a line on each variable that looks like a setting and is none."""
    known = {name.removeprefix(PREFIX) for name in _OTHERS}
    known |= {field.upper() for field in Settings.model_fields}
    for name in sorted(os.environ):
        rest = name.upper().removeprefix(PREFIX)
        if name.upper().startswith(PREFIX) and rest not in known:
            near = difflib.get_close_matches(rest, known, 1)
            hint = f"; did you mean {PREFIX}{near[0]}?" if near else ""
            yield f"{name} is not a setting{hint}"


def stated_settings(settings: Settings, home: Path, origins: Mapping[str, str]) -> Iterator[str]:
    """Yield `NAME=value (where it comes from)` for folders, and for values other than the defaults.

    home: Dagster's. origins: what `load_env_file` has returned. Secrets are masked.
    """
    values = {_variable(field): getattr(settings, field) for field in Settings.model_fields}
    values |= {name: os.environ[name] for name in sorted({*_OTHERS} & {*os.environ})}
    always = {"DAGSTER_HOME", *map(_variable, FOLDERS)}
    for name, value in {**values, "DAGSTER_HOME": home}.items():
        origin = origins.get(name, "default")
        if origin != "default" or name in always:
            yield f"{name}={_PASSWORD.sub('****@', str(value))} ({origin})"


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"
