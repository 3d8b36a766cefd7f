"""`make superset`: Superset on the published file.

On the first start, and whenever the files in `assets/` or the columns of the published file have
changed, upgrades the metadata database and imports the files; then starts the server. Charts made
in the UI stay; whatever the files define is reset to the files.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import yaml
from superset_config import CATALOG, SETTINGS, kept_secret, published

HERE = Path(__file__).resolve().parent
ASSETS = HERE / "assets"
DASHBOARD = "/superset/dashboard/balances/"
USER = "admin"

# First day of a period, for the time axis of charts.
PERIOD_START = """make_date(
    cast(left(period, 4) as integer),
    case frequency
        when 'S' then 6 * cast(right(period, 1) as integer) - 5
        when 'Q' then 3 * cast(right(period, 1) as integer) - 2
        when 'M' then cast(right(period, 2) as integer)
        else 1
    end,
    1
)"""


def bundle() -> dict[str, str]:
    """Return the files to import, by path: those of `assets/`, completed from the published file.

    It provides the columns of the datasets, with types and comments. Raises duckdb.Error if it
    cannot be read or lacks a table.
    """
    files = {
        str(path.relative_to(ASSETS)): yaml.safe_load(path.read_text("utf-8"))
        for path in sorted(ASSETS.rglob("*.yaml"))
    }
    with published() as con:
        for path, content in files.items():
            if path.startswith("databases/"):
                content["sqlalchemy_uri"] = f"duckdb:///{SETTINGS.warehouse}"
            if path.startswith("datasets/"):
                found = described(con, content["schema"], content["table_name"])
                if "sql" in content:  # which unites the tables of all frequencies
                    found["columns"].append(frequency())
                content.update(with_start_of_period(found))
    return {path: yaml.safe_dump(content, sort_keys=False) for path, content in files.items()}


def described(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, Any]:
    """Return a table's description and columns, in the form of Superset's dataset files."""
    ((comment,),) = con.execute(
        "select comment from duckdb_tables()"
        " where (database_name, schema_name, table_name) = (?, ?, ?)",
        [CATALOG, schema, table],
    ).fetchall() or [(None,)]
    columns = [
        {
            "column_name": name,
            "verbose_name": label(name),
            "type": kind,
            "description": text,
            "is_dttm": kind in {"DATE", "TIMESTAMP"},
            "groupby": True,
            "filterable": True,
        }
        for name, kind, text in con.execute(
            "select column_name, data_type, comment from duckdb_columns()"
            " where (database_name, schema_name, table_name) = (?, ?, ?) order by column_index",
            [CATALOG, schema, table],
        ).fetchall()
    ]
    if not columns:
        raise duckdb.CatalogException(f"{schema}.{table} is not in {SETTINGS.warehouse}")
    return {"description": comment, "columns": columns}


def frequency() -> dict[str, Any]:
    """Return the column of a dataset that unites tables of several frequencies."""
    return {
        "column_name": "frequency",
        "verbose_name": "Frequency",
        "type": "VARCHAR",
        "description": "Frequency of the period: A, S, Q or M (SDMX code list CL_FREQ).",
        "is_dttm": False,
        "groupby": True,
        "filterable": True,
    }


def with_start_of_period(found: dict[str, Any]) -> dict[str, Any]:
    """Return what `described` found, with a time axis where there are periods."""
    columns = found["columns"]
    if {"period", "frequency"} <= {column["column_name"] for column in columns}:
        columns.append(
            {
                "column_name": "period_start",
                "verbose_name": "Start of period",
                "type": "DATE",
                "description": "First day of the period.",
                "expression": PERIOD_START,
                "is_dttm": True,
                "groupby": True,
                "filterable": True,
            }
        )
        found["main_dttm_col"] = "period_start"
    return found


def label(column: str) -> str:
    """Return the label of a column: `receipts_usd_m` is "Receipts (USD m)"."""
    for suffix, unit in {"_usd_m": " (USD m)", "_pct": " (%)"}.items():
        if column.endswith(suffix):
            return label(column.removesuffix(suffix)) + unit
    return column.replace("_", " ").capitalize()


def initialise(files: dict[str, str], log: Path) -> None:
    """Bring the metadata database up to date, and import the files as the user `admin`.

    log: receives the output, hundreds of lines of migrations on the first start.
    """
    with log.open("wb") as written:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(written.fileno(), stream.fileno())
    import flask_migrate
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        from superset import appbuilder, security_manager
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.utils.core import override_user

        flask_migrate.upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        user = security_manager.find_user(USER) or security_manager.add_user(
            *(USER, "Royalty", "Flows", "admin@localhost"),
            security_manager.find_role("Admin"),
            kept_secret("password"),
        )
        with override_user(user):
            ImportAssetsCommand(files).run()


def main() -> int:
    """Start the server; return only if that fails."""
    from dagster_project.base.output import unfailing_output  # superset_config sets the path

    unfailing_output()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8088)
    options = parser.parse_args()
    os.environ["SUPERSET_CONFIG_PATH"] = str(HERE / "superset_config.py")
    os.environ["SUPERSET_HOME"] = str(SETTINGS.superset_dir)
    if not SETTINGS.warehouse.exists():
        print(f"{SETTINGS.warehouse} does not exist: nothing is published. Run `make run` first")
        return 1
    try:
        files = bundle()
    except duckdb.Error as error:
        print(f"{SETTINGS.warehouse} cannot be read: {error}\nPublish it again with `make publish`")
        return 1
    state = {"superset": version("apache-superset"), "files": digest(files)}
    kept = SETTINGS.superset_dir / "state.json"
    if not kept.exists() or json.loads(kept.read_text("utf-8")) != state:
        print("preparing Superset (a minute, on the first start)", flush=True)
        log = SETTINGS.superset_dir / "prepare.log"
        # In a separate process: the server forks and must not inherit the modules that this loads.
        child = multiprocessing.get_context("spawn").Process(target=initialise, args=(files, log))
        child.start()
        child.join()
        if child.exitcode:
            last = log.read_text("utf-8", "replace")[-2000:]
            print(f"Superset could not be prepared. The end of {log}:\n{last}")
            return 1
        kept.write_text(json.dumps(state), "utf-8")
    print(
        f"Superset: http://127.0.0.1:{options.port}{DASHBOARD}\n"
        f"Log in as {USER}; the password is in {SETTINGS.superset_dir / 'password'}\n"
        "Stop it with Ctrl-C.",
        flush=True,
    )
    # One process with threads: the metadata is in SQLite, which allows one writer at a time.
    server = "--workers 1 --worker-class gthread --threads 8 --timeout 600 --no-control-socket"
    os.execv(
        sys.executable,
        [
            *(sys.executable, "-m", "gunicorn", *server.split(), "--log-level", "warning"),
            *("--bind", f"127.0.0.1:{options.port}", "superset.app:create_app()"),
        ],
    )


def digest(files: dict[str, str]) -> str:
    """Return the SHA-256 of the files to import."""
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
