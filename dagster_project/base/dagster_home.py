"""The project's Dagster instance: its folder, and the tag of runs that `make run` launches."""

import os
import re
import shutil
from pathlib import Path

from dagster_project.base.errors import BadInput
from dagster_project.base.private_files import make_private, private_files, public_folder
from dagster_project.base.settings import from_project_root

BY_MAKE_RUN = {"royalty_flows/launched_by": "make run"}


def home_folder() -> Path:
    """Return the folder of the project's Dagster instance, which may not exist yet.

    A relative one starts at the project root; Dagster, which takes it from the environment, refuses
    those.
    """
    home = from_project_root(Path(os.environ.get("DAGSTER_HOME") or ".dagster"))
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def dagster_home() -> Path:
    """Return the folder of the project's Dagster instance, with its settings in place.

    Raises BadInput for a path that Dagster, which takes it as part of an URL, would misread.
    """
    home = home_folder()
    if misread := re.search(r"\?|%[0-9A-Fa-f]{2}", str(home)):
        raise BadInput(
            "a Dagster home that Dagster cannot open",
            where=f"DAGSTER_HOME: {home}",
            expected="a path without a question mark, and without % before two hexadecimal digits",
            found=misread[0],
            fix="set DAGSTER_HOME to another folder",
        )
    public_folder(home.parent)
    home.mkdir(mode=0o700, exist_ok=True)
    make_private(home)  # its logs quote files, and whoever writes here runs code
    with private_files():
        shutil.copyfile(Path(__file__).with_name("dagster.yaml"), home / "dagster.yaml")
    return home
