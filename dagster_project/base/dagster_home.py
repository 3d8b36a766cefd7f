"""The project's Dagster instance: its folder, and the tag of runs that `make run` launches."""

import errno
import os
import shutil
from pathlib import Path

from dagster_project.base.errors import BadInput
from dagster_project.base.private_files import make_private, private_files, public_folder
from dagster_project.base.settings import PROJECT_ROOT

_UNFIT = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR}
BY_MAKE_RUN = {"royalty_flows/launched_by": "make run"}


def home_folder() -> Path:
    """Return the folder of the project's Dagster instance, which may not exist yet."""
    return Path(os.environ.setdefault("DAGSTER_HOME", str(PROJECT_ROOT / ".dagster")))


def dagster_home() -> Path:
    """Return the folder of the project's Dagster instance, with its settings in place.

    Raises BadInput if it may not be written to.
    """
    home = home_folder()
    try:
        public_folder(home.parent)
        home.mkdir(mode=0o700, exist_ok=True)
        make_private(home)  # its logs quote files, and whoever writes here runs code
        with private_files():
            shutil.copyfile(Path(__file__).with_name("dagster.yaml"), home / "dagster.yaml")
    except OSError as error:
        if error.errno not in _UNFIT:
            raise
        raise BadInput(
            "a folder that may not be written to",
            where=str(home),
            expected="DAGSTER_HOME is a folder of the user who runs this",
            found=str(error),
            fix="set DAGSTER_HOME to such a folder; it is created",
        ) from error
    return home
