"""Dagster's tables, where the packages lie in a folder with % in its path.

Dagster makes and upgrades its tables with Alembic, which reads a file beside Dagster's code with
configparser: the file's folder is a default there, and % in it is not escaped.

Version: alembic 1.20.1.
Measured: nothing; without it no process of Dagster starts in such a folder.
Upstream: none found.
Off: never; it does nothing in any other folder.
Canary: tests/patches/test_canary.py; tests/test_moved_checkout.py runs in such a folder.
"""

import os
import sysconfig
from pathlib import Path


def escape_folder() -> None:
    """Have Alembic escape the path, if it has a %, in this process and those that it starts.

    Dagster starts its own without this package: Python runs `sitecustomize` in each.
    """
    if "%" not in sysconfig.get_path("purelib"):
        return
    from dagster_project.patches.alembic_folder import sitecustomize  # noqa: F401

    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
