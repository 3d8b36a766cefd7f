"""SQL that reaches the published file through Superset's connection, as an attacker would write it.

Superset has an environment of its own, so the statements run in a process of it, which loads the
settings as the server does.
"""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.settings import PROJECT_ROOT
from tests.superset.conftest import PYTHON
from tests.support import Warehouse

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-superset (make superset-env)")

# Runs each line of statements on one connection; prints, for each, null or the error's text.
SCRIPT = """
import json, sys
sys.path.insert(0, "superset")
from sqlalchemy.engine.url import make_url
import superset_config
outcomes = []
for uri, statements in json.load(sys.stdin):
    try:
        _, params = superset_config.DB_CONNECTION_MUTATOR(make_url(uri), {}, None, None, None)
        cursor = params["creator"]().cursor()
        for statement in statements:
            cursor.execute(statement)
            rows = cursor.fetchall()
    except Exception as error:
        outcomes.append(str(error))
    else:
        outcomes.append(rows)
print(json.dumps(outcomes, default=str))
"""
Ask = Callable[..., list]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text("a,b\n1,TOP SECRET\n")
    return path


@pytest.fixture
def ask(folders: Warehouse) -> Ask:
    """Run statements, each on a connection of its own; a list of several shares one."""
    settings = folders.settings
    settings.warehouse_dir.mkdir()
    with duckdb.connect(settings.warehouse) as con:
        con.execute("create schema marts; create table marts.made_up as select 7 as a")

    def asked(*statements: str | list[str], uri: str = f"duckdb:///{settings.warehouse}") -> list:
        batches = [(uri, one if isinstance(one, list) else [one]) for one in statements]
        ended = subprocess.run(
            [PYTHON, "-c", SCRIPT],
            cwd=PROJECT_ROOT,
            env={**os.environ, "ROYALTY_SUPERSET_DIR": str(folders.folder / "home")},
            input=json.dumps(batches),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return asked


def test_queries_are_answered(ask: Ask) -> None:
    found = ask(
        "select a from marts.made_up",
        "from marts.made_up",
        "with x as (select a from marts.made_up) select sum(a) from x",
        "/* query */ select 'query: 1' -- enable_logging\n",
        "describe marts.made_up",
        "show tables",
        "explain select a from marts.made_up",
        "select 1; select 2",
    )
    assert not [outcome for outcome in found if isinstance(outcome, str)], found
    assert found[:3] == [[[7]]] * 3


def test_no_other_file_can_be_read(ask: Ask, secret: Path, folders: Warehouse) -> None:
    path = str(secret)
    home = folders.folder / "home"
    found = ask(
        *(
            f"select * from {function}('{file}')"
            for function in ("read_csv", "read_text", "read_blob", "read_json", "read_parquet")
            for file in (path, f"{home}/secret_key", f"{home}/spill/../secret_key", "/etc/passwd")
        ),
        f"from '{path}'",
        f"select * from sniff_csv('{path}')",
        f"select * from glob('{secret.parent}/*')",
        f"select * from read_duckdb('{folders.settings.workbench}')",
        "select * from read_csv('https://127.0.0.1:1/x')",
        "select * from sqlite_scan('/x', 'y')",
        "select getenv('HOME')",
        "select * from duckdb_secrets()",
        "select * from os",
    )
    assert all(isinstance(outcome, str) for outcome in found), found
    assert "TOP SECRET" not in str(found)


CHANGES = [
    "attach '{file}' as other",
    "attach ':memory:' as other",
    "attach 'https://127.0.0.1:1/x.duckdb' as other",
    "copy (select 1) to '{file}'",
    "copy marts.made_up from '{file}'",
    "export database '{file}'",
    "import database '{file.parent}'",
    "install httpfs",
    "install spatial from community",
    "load httpfs",
    "load '{file}'",
    "create secret made_up (type http)",
    "create persistent secret made_up (type http)",
    "set enable_external_access = true",
    "reset enable_external_access",
    "set lock_configuration = false",
    "set memory_limit = '1TB'",
    "set temp_directory = '/'",
    "pragma enable_profiling = 'json'",
    "pragma profiling_output = '{file}'",
    "insert into marts.made_up values (8)",
    "update marts.made_up set a = 8",
    "delete from marts.made_up",
    "drop table marts.made_up",
    "create table memory.main.made_up as select 1",
    "create temp table made_up as select 1",
    "create temp macro made_up() as 1",
    "create temp view made_up as select 1",
    "use memory",
    "detach royalty_flows",
    "checkpoint",
    "vacuum",
    "prepare made_up as select 1",
    "call enable_logging(storage = 'file', storage_path = '{file}')",
    "call pragma_version()",
    "begin",
    "explain analyze copy marts.made_up to '{file}'",
    "explain analyze call enable_logging()",
    "select 1; attach ':memory:' as other",
]


def test_nothing_but_queries_is_executed(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "written"
    (tmp_path / "schema.sql").write_text("select 'TOP SECRET'")
    (tmp_path / "load.sql").write_text("")
    found = ask(*([statement.format(file=file), "select 1"] for statement in CHANGES))
    for statement, outcome in zip(CHANGES, found, strict=True):
        # `import database` reads a file to know its statements, and may not.
        wanted = "Cannot" if statement.startswith("import") else "only queries are allowed"
        assert wanted in outcome, statement
    assert "TOP SECRET" not in str(found)
    assert not file.exists()


ENABLE = "enable_logging(storage = 'file', storage_path = '/nowhere/log')"


ENDING = [
    f"select * from {ENABLE}",
    f"from {ENABLE}",
    "from " + ENABLE.replace("enable_logging", '"Enable_Logging" '),
    "from " + ENABLE.replace("(", "/* ( */ ("),
    "from " + ENABLE.replace("(", "-- (\n("),
    f"from system.main.{ENABLE}",
    f"explain analyze from {ENABLE}",
    "from query('from enable_' || 'logging()')",
    "from \"query\" /**/ ('from enable_logging()')",
    "from json_execute_serialized_sql('{}')",
    f"select (select count(*) from {ENABLE})",
]


def test_no_statement_ends_the_process(ask: Ask) -> None:
    """Without the check, the second statement does, in a way that Python cannot catch."""
    *found, last = ask(*([statement, "select 1", "select 1"] for statement in ENDING), "select 1")
    for statement, outcome in zip(ENDING, found, strict=True):
        assert "not allowed" in outcome or "only queries" in outcome, statement
    assert last == [[1]]


def test_no_other_database_can_be_added(ask: Ask, secret: Path, folders: Warehouse) -> None:
    for uri in (
        "duckdb:///:memory:",
        f"duckdb:///{folders.settings.workbench}",
        f"duckdb:///{secret}",
        "duckdb:///md:",
        "duckdb://",
    ):
        (outcome,) = ask("select 1", uri=uri)
        assert "may be opened" in outcome
    assert not folders.settings.workbench.exists()


def test_supersets_files_are_the_owners_alone(ask: Ask, folders: Warehouse) -> None:
    home = folders.folder / "home"
    home.mkdir()
    home.chmod(0o777)
    (home / "superset.db").touch(0o644)
    ask("select 1")
    for path in (home, *home.iterdir()):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert len((home / "secret_key").read_text().strip()) >= 32
    assert (home / "secret_key").read_text() != "CHANGE_ME_SECRET_KEY"


def test_tables_show_cells_as_text() -> None:
    for path in (PROJECT_ROOT / "superset" / "assets" / "charts").glob("*.yaml"):
        text = path.read_text("utf-8")
        assert "allow_render_html: true" not in text
        assert ("viz_type: table" in text) == ("allow_render_html: false" in text), path.name
