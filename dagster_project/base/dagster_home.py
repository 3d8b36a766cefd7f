"""The project's Dagster instance: its folder, and the tag of runs that `make run` launches."""

import errno
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from dagster_project.base.dagster_postgres import STORAGE, use_postgres
from dagster_project.base.durable_files import replace_text
from dagster_project.base.errors import BadInput
from dagster_project.base.logs import say
from dagster_project.base.private_files import make_private, private_files, public_folder
from dagster_project.base.settings import from_project_root

_UNFIT = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR}
BY_MAKE_RUN = {"royalty_flows/launched_by": "make run"}


def home_folder() -> Path:
    """Return the folder of the project's Dagster instance, which may not exist yet.

    A relative one starts at the project root; Dagster, which takes it from the environment, refuses
    those.
    """
    named = os.environ.get("DAGSTER_HOME", "")
    home = from_project_root(Path(named if named.strip() else ".dagster"), "DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def dagster_home() -> Path:
    """Return the folder of the project's Dagster instance, with its settings in place.

    An instance that an earlier Dagster made is upgraded. Raises BadInput if the folder may not be
    written to, if a newer Dagster made the instance, or if its storage is to be in PostgreSQL, and
    that cannot be reached; and for a path that Dagster would misread: it takes that as part of a
    URL, and as a pattern for its settings, which it then would not find.
    """
    home = home_folder()
    if misread := re.search(r"[?*\[]|%[0-9A-Fa-f]{2}", str(home)):
        raise BadInput(
            "a Dagster home that Dagster cannot open",
            where=f"DAGSTER_HOME: {home}",
            expected="a path without ?, * and [, and without % before two hexadecimal digits",
            found=misread[0],
            fix="set DAGSTER_HOME to another folder",
        )
    try:
        public_folder(home.parent)
        home.mkdir(mode=0o700, exist_ok=True)
        make_private(home)  # its logs quote files, and whoever writes here runs code
        with private_files():
            path, text = home / "dagster.yaml", _instance_settings()
            if not path.is_file() or path.read_text("utf-8") != text:
                replace_text(path, text)
            _upgrade(home)
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


def _instance_settings() -> str:
    text = Path(__file__).with_name("dagster.yaml").read_text("utf-8")
    return text + STORAGE if use_postgres() else text


def _upgrade(home: Path) -> None:
    """Bring the instance's tables to the installed Dagster; a file beside them notes it."""
    note, installed = home / "dagster_version", version("dagster")
    before = note.read_text("utf-8").strip() if note.is_file() else ""
    if before == installed:
        return
    if _numbers(before) > _numbers(installed):
        raise BadInput(
            "a Dagster instance of a newer version",
            where=str(home),
            expected=f"Dagster {installed}, which is installed, or an earlier one",
            found=f"Dagster {before}",
            fix="install the version of the project that wrote it; or set DAGSTER_HOME to another"
            " folder: it holds the history of runs, and nothing that the warehouse needs",
        )
    if before or (home / "history" / "runs.db").is_file():
        old = before or "an earlier version"
        say(f"upgrading the Dagster instance {home} from {old} to {installed}")
        done = subprocess.run(
            [sys.executable, "-m", "dagster", "instance", "migrate"],
            env=os.environ | {"DAGSTER_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BadInput(
                "a Dagster instance that cannot be upgraded",
                where=str(home),
                expected=f"an instance that Dagster {installed} can read",
                found=(done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1],
                fix="move the folder away: it holds the history of runs, and nothing that the"
                " warehouse needs",
            )
    replace_text(note, installed)


def _numbers(version_text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version_text.split(".") if part.isdigit())
