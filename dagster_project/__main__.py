"""The command line: `python -m dagster_project <command>`; the Makefile has a target for each."""

import argparse
import os
import sys
from pathlib import Path

from dagster_project.errors import BadInput
from dagster_project.publication.rollback import roll_back
from dagster_project.run import FAILED, dagster_home, run, say
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.workbench import write_lock


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="dagster_project", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="load what is new, build and publish")
    command.add_argument(
        "--reload", action="append", default=[], metavar="SOURCE/DATE", help="load it again"
    )
    commands.add_parser("dev", help="open the Dagster UI on 127.0.0.1:3000")
    commands.add_parser("docs", help="write docs/data-dictionary.md")
    command = commands.add_parser("rollback", help="put an earlier publication in force")
    command.add_argument("--to", metavar="PUBLICATION", help="which; else the one before")
    options = parser.parse_args(arguments)
    settings = Settings()
    try:
        if options.command == "run":
            return run(settings, options.reload)
        if options.command == "rollback":
            with write_lock(settings):
                say(f"publication {roll_back(settings, options.to)} is in force")
            return 0
        if options.command == "docs":
            from dagster_project.models.dictionary import write_data_dictionary

            write_data_dictionary()
            return 0
        dagster_home()
        os.chdir(PROJECT_ROOT)
        os.environ.setdefault("VIRTUAL_ENV", sys.prefix)  # else `dg` warns that it is not active
        dg = str(Path(sys.executable).with_name("dg"))
        os.execv(dg, [dg, "dev", "--host", "127.0.0.1"])
    except BadInput as problem:
        say(f"REFUSED {problem}")
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
