"""The parser's files are used only for the state of the project that they were made from."""

import json
import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.base.errors import BadInput
from dagster_project.transform import dbt_runner as dbt
from dagster_project.transform.parse_cache import keep_parsed, parser_versions

FILES = ("manifest.json", "semantic_manifest.json", "partial_parse.msgpack")


class Parser:
    """Notes how often it was asked."""

    def __init__(self, content: str = "parsed") -> None:
        self.content, self.times = content, 0

    def __call__(self, folder: Path) -> None:
        self.times += 1
        for name in FILES:
            (folder / name).write_text(self.content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def exchange(path: Path) -> None:
    path.write_text("x" * path.stat().st_size)


def test_files_of_the_same_state_are_used_again(tmp_path: Path) -> None:
    parser = Parser()
    for _ in range(3):
        keep_parsed(tmp_path, "state", parser)
    assert parser.times == 1
    keep_parsed(tmp_path, "another state", parser)
    assert parser.times == 2


@pytest.mark.parametrize("name", [*FILES, "manifest.sha256"])
@pytest.mark.parametrize("damage", [Path.unlink, truncate, exchange])
def test_files_that_are_not_those_that_were_made_are_made_again(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    parser = Parser()
    keep_parsed(tmp_path, "state", parser)
    damage(tmp_path / name)
    keep_parsed(tmp_path, "state", parser)
    assert parser.times == 2
    assert {(tmp_path / each).read_text() for each in FILES} == {"parsed"}


@pytest.mark.parametrize("stamp", [b"", b"{}", b"\xff", b"[1]", b"/srv/dbt 0123"])
def test_a_stamp_of_another_version_counts_as_none(tmp_path: Path, stamp: bytes) -> None:
    parser = Parser()
    keep_parsed(tmp_path, "state", parser)
    (tmp_path / "manifest.sha256").write_bytes(stamp)
    keep_parsed(tmp_path, "state", parser)
    assert parser.times == 2


def test_a_parse_that_fails_leaves_nothing_that_could_be_used(tmp_path: Path) -> None:
    keep_parsed(tmp_path, "state", Parser())

    def failing(folder: Path) -> None:
        (folder / FILES[0]).write_text("half of it")
        raise BadInput("made up", where="a", expected="b", found="c", fix="d")

    with pytest.raises(BadInput):
        keep_parsed(tmp_path, "a bad state", failing)
    assert not (tmp_path / "manifest.sha256").exists()
    assert (tmp_path / FILES[0]).read_text() == "parsed"
    assert not list(tmp_path.glob("parse-*"))
    parser = Parser("again")
    keep_parsed(tmp_path, "state", parser)
    assert parser.times == 1


def _append(folder: Path) -> None:
    Parser()(folder)
    with (folder.parent / "parses").open("a", encoding="utf-8") as parses:
        parses.write("1\n")


def test_processes_that_ask_at_once_parse_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    asking = [
        context.Process(target=keep_parsed, args=(tmp_path, "state", _append)) for _ in range(3)
    ]
    for process in asking:
        process.start()
    for process in asking:
        process.join(60)
    assert [process.exitcode for process in asking] == [0, 0, 0]
    assert (tmp_path / "parses").read_text() == "1\n"


def test_the_versions_of_the_parser_are_part_of_the_state() -> None:
    versions = parser_versions()
    assert "dbt-core=1.11" in versions
    assert "dbt-duckdb=" in versions


def test_a_bad_path_leaves_nothing_behind_in_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dbt takes the name of the database from the path: of `a?b/workbench.duckdb`, `a`."""
    project = tmp_path / "dbt"
    shutil.copytree(dbt.DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(dbt, "DBT_PROJECT", project)
    monkeypatch.setenv("ROYALTY_WAREHOUSE_DIR", "/nonexistent/a?b#c")
    monkeypatch.setenv("ROYALTY_DUCKDB_THREADS", "not a number")
    target = tmp_path / "target"
    target.mkdir()
    dbt._parse(target)
    manifest = json.loads((target / "manifest.json").read_bytes())
    assert {node["database"] for node in manifest["nodes"].values()} == {
        "workbench",
        "royalty_flows",
    }
    assert "nonexistent" not in json.dumps(manifest)
