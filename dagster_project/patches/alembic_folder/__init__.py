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
from importlib import import_module
from pathlib import Path


def escape_folder() -> None:
    """Have Alembic escape the path, if it has a %, in this process and those that it starts.

    Dagster starts its own without this package: Python runs `sitecustomize` in each.
    """
    if "%" not in sysconfig.get_path("purelib"):
        return
    import_module(f"{__name__}.sitecustomize")
    folder, others = str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")
    if folder not in others.split(os.pathsep):  # a parent process has put it there
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, others]))
