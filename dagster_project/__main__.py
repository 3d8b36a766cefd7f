"""The command line: `python -m dagster_project <command>`; the Makefile has a target for each."""

import argparse
import sys
from pathlib import Path

import duckdb
from pydantic import ValidationError
from pydantic_settings import SettingsError

from dagster_project.base.dagster_home import dagster_home
from dagster_project.base.env_file import load_env_file, unknown_settings
from dagster_project.base.environment import clear_environment
from dagster_project.base.errors import BadInput
from dagster_project.base.file_system import has_permissions
from dagster_project.base.logs import say
from dagster_project.base.machine_errors import machine_error_behind
from dagster_project.base.output import unfailing_output, use_utf8
from dagster_project.base.private_files import private_by_default
from dagster_project.base.settings import PREFIX, Settings, env_file
from dagster_project.commands import COMMANDS
from dagster_project.ingest.manual_decisions import DECISIONS
from dagster_project.pipeline.run import FAILED


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if arguments is None:
        use_utf8()
    unfailing_output()
    private_by_default()
    options = _parser().parse_args(arguments)
    try:
        options.origins = load_env_file()
        clear_environment()
        for line in unknown_settings():
            say(line, "WARNING")
        settings = _settings()
        _try_file_systems(settings, options.command)
        return COMMANDS[options.command](settings, options)
    except BadInput as problem:
        say(f"REFUSED {problem}", "ERROR")
        return FAILED
    except Exception as error:
        problem_of_machine = machine_error_behind(error)
        if problem_of_machine is None:
            raise
        say(f"FAILED {problem_of_machine}", "ERROR")
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dagster_project", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="load new releases, build and publish")
    command.add_argument(
        "--reload",
        action="extend",
        type=str.split,
        default=[],
        metavar="SOURCE/DATE",
        help="load it again",
    )
    command = commands.add_parser("dev", help="open the Dagster UI on 127.0.0.1")
    command.add_argument("--port", type=int, default=3000)
    command = commands.add_parser("serve", help="become a part of the service (docs/deploying.md)")
    command.add_argument("part", choices=["code", "daemon", "web"])
    command.add_argument("--host", default="127.0.0.1", help="of the UI")
    command.add_argument("--port", type=int, default=3000, help="of the UI")
    command = commands.add_parser("install-service", help="write systemd units for this checkout")
    command.add_argument("--to", type=Path, metavar="FOLDER", help="default: systemd's own")
    command.add_argument("--user", help="of system units; default: the owner of the checkout")
    command.add_argument("--port", type=int, default=3000, help="of the UI")
    command = commands.add_parser(
        "report", help="write the report, a static site, from the published file"
    )
    command.add_argument("--to", type=Path, metavar="FOLDER", help="a new folder, for readers")
    commands.add_parser("sql", help="open a SQL shell on the published file, read-only")
    command = commands.add_parser("metrics", help="query the published metrics with MetricFlow")
    command.add_argument("metrics", nargs="+", type=str.split, metavar="METRIC")
    command.add_argument("--by", nargs="+", type=str.split, default=[], metavar="DIMENSION")
    command.add_argument("--where", nargs="+", default=[], metavar="CONDITION")
    command.add_argument("--order", default="", metavar="[-]NAME", help="--order=-receipts")
    command.add_argument("--limit", type=int)
    commands.add_parser("status", help="show live publication, current and rejected releases")
    commands.add_parser("docs", help="write data dictionary, gate policy tables and column lineage")
    commands.add_parser("publish", help="build and publish the current releases again")
    command = commands.add_parser("rebuild", help="rebuild the workbench from the landing folder")
    command.add_argument(
        "--force", action="store_true", help="go on even if current releases would be lost"
    )
    command = commands.add_parser("rollback", help="make an earlier publication live")
    command.add_argument("--to", metavar="PUBLICATION", help="default: the previous one")
    command.add_argument("--reason", default="none was given")
    command = commands.add_parser("upload", help="put the live publication into object storage")
    command.add_argument(
        "--force",
        action="store_true",
        help="read every object again, and replace a publication of another warehouse",
    )
    command = commands.add_parser(
        "verify", help="verify the published file, its downloads and signature"
    )
    command.add_argument(
        "--rebuild", action="store_true", help="also build it again from nothing, and compare"
    )
    command = commands.add_parser("prune", help="remove old runs, entries, rows, publications")
    command.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    command = commands.add_parser(
        "clean-warehouse", help="list what the warehouse has on disk, ask, and remove it"
    )
    command.add_argument("--yes", action="store_true", help="do not ask")
    for name, about in (
        ("reject", "reject a current release"),
        ("accept", "accept a release that its gate rejected"),
        ("forget", "delete a release's rows and entries"),
    ):
        command = commands.add_parser(name, help=f"{about}; the ledger keeps the reason")
        command.add_argument("release", metavar="SOURCE/DATE")
        command.add_argument("--reason", required=True)
    return parser


def _settings() -> Settings:
    """Read the settings. Raises BadInput if one of them is invalid."""
    try:
        settings = Settings()
        duckdb.connect(config=settings.duckdb_config).close()
    except ValidationError as error:
        wrong = {f"{PREFIX}{each['loc'][0]}".upper(): each for each in error.errors()}
        found = [f"{name}={each['input']!r}: {each['msg']}" for name, each in wrong.items()]
        raise _invalid(", ".join(wrong), "; ".join(found)) from error
    except SettingsError as error:  # the one setting that is JSON is not
        raise _invalid("ROYALTY_FETCH_BASE_URLS", str(error)) from error
    except duckdb.Error as error:
        where = "ROYALTY_DUCKDB_MEMORY_LIMIT, ROYALTY_DUCKDB_THREADS"
        raise _invalid(where, str(error).splitlines()[0]) from error
    return settings


def _invalid(where: str, found: str) -> BadInput:
    return BadInput(
        "an invalid setting",
        where=where,
        expected="the values that README.md lists under Settings",
        found=found,
        fix=f"correct the variable in the environment or {env_file() or 'a file'}, or unset it",
    )


# Those that write to the warehouse; a reader's `dev` needs only a Dagster home of its own.
_WRITING = {"run", "publish", "rebuild", "rollback", "prune", *DECISIONS}


def _try_file_systems(settings: Settings, command: str) -> None:
    """Raise BadInput if a folder that the command writes to is unfit, and say what it lacks."""
    if command in _WRITING and not has_permissions(settings.warehouse_dir, "ROYALTY_WAREHOUSE_DIR"):
        say(
            f"{settings.warehouse_dir} is on a file system without permissions: other users of this"
            " machine may be able to read and change everything in it",
            "WARNING",
        )
    if command in {"dev", *_WRITING}:
        has_permissions(dagster_home(), "DAGSTER_HOME")


if __name__ == "__main__":
    sys.exit(main())
