"""Uploads the live publication of the environment, and dies at a point on the way.

`python -m tests.survival.upload_once [FUNCTION entering|leaving [ABOUT]]`. A process of its own:
obstore's threads do not survive a fork.
"""

import sys

from dagster_project.base.settings import Settings
from dagster_project.publication.upload import upload
from dagster_project.workbench.connection import write_lock
from tests.survival.crash_points import Point


def main() -> None:
    """Upload, up to the point."""
    if arguments := sys.argv[1:]:
        function, side, *about = arguments
        Point(function, side == "leaving", *about).watch()
    settings = Settings()
    with write_lock(settings):
        upload(settings)


if __name__ == "__main__":
    main()
