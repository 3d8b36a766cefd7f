import os
import unicodedata
from pathlib import Path

import pytest
from dagster import DagsterInstance
from pydantic import ValidationError

from dagster_project.base.dagster_home import dagster_home, home_folder
from dagster_project.base.errors import BadInput
from dagster_project.base.settings import PATCHES, PROJECT_ROOT, Settings


def test_folders_are_in_the_project_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ROYALTY_LANDING_DIR")
    monkeypatch.delenv("ROYALTY_WAREHOUSE_DIR")
    settings = Settings()
    assert settings.landing_dir == PROJECT_ROOT / "landing"
    assert settings.warehouse == PROJECT_ROOT / "warehouse" / "royalty_flows.duckdb"


def test_relative_folders_are_relative_to_the_project_not_to_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROYALTY_WAREHOUSE_DIR", "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert Settings().warehouse_dir == PROJECT_ROOT / "elsewhere"


def test_absolute_folders_are_taken_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROYALTY_WAREHOUSE_DIR", str(tmp_path))
    assert Settings().candidate == tmp_path / "candidate" / "royalty_flows.duckdb"


def test_duckdb_gets_its_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROYALTY_DUCKDB_MEMORY_LIMIT", "1GB")
    monkeypatch.setenv("ROYALTY_DUCKDB_THREADS", "1")
    assert Settings().duckdb_config.items() >= {"memory_limit": "1GB", "threads": 1}.items()


@pytest.mark.parametrize(("name", "value"), [("DUCKDB_THREADS", "0"), ("KEEP_PUBLICATIONS", "0")])
def test_invalid_values_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ROYALTY_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_patches_are_named_and_off_disables_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(Settings().is_patched(name) for name in PATCHES)
    monkeypatch.setenv("ROYALTY_PATCHES", f" {PATCHES[-1]}")
    assert [name for name in PATCHES if Settings().is_patched(name)] == [PATCHES[-1]]
    monkeypatch.setenv("ROYALTY_PATCHES", "off")
    assert not any(Settings().is_patched(name) for name in PATCHES)
    monkeypatch.setenv("ROYALTY_PATCHES", "made_up")
    with pytest.raises(ValidationError, match="no patch of that name: made_up"):
        Settings()


def test_a_folder_is_found_in_the_form_that_macos_has_given_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / unicodedata.normalize("NFD", "données é")).mkdir()
    monkeypatch.setenv("ROYALTY_LANDING_DIR", str(tmp_path / "données é"))
    assert Settings().landing_dir.is_dir()
    monkeypatch.setenv("ROYALTY_WAREHOUSE_DIR", str(tmp_path / "é"))
    assert Settings().warehouse_dir == tmp_path / "é"  # a new one is as it was typed


def test_a_path_that_duckdb_cannot_write_to_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It puts the name of its log before a question mark."""
    monkeypatch.setenv("ROYALTY_WAREHOUSE_DIR", "/data/what?")
    with pytest.raises(ValidationError, match="a path with a question mark: /data/what"):
        Settings()


@pytest.mark.parametrize("name", ["a?b", "a%20b"])
def test_a_dagster_home_that_dagster_would_misread_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / name))
    with pytest.raises(BadInput, match="a Dagster home that Dagster cannot open"):
        dagster_home()
    assert not (tmp_path / name).exists()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "a 50% #;'b\" é"))
    with DagsterInstance.from_config(str(dagster_home())) as instance:
        assert instance.get_runs_count() == 0


def test_a_home_folder_may_be_relative_or_begin_with_a_tilde(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ROYALTY_LANDING_DIR", "~/landing")
    assert Settings().landing_dir == tmp_path / "landing"
    for given, found in {
        "~/home": tmp_path / "home",
        "some/home": PROJECT_ROOT / "some/home",
    }.items():
        monkeypatch.setenv("DAGSTER_HOME", given)
        assert home_folder() == found
        assert os.environ["DAGSTER_HOME"] == str(found)


LONG = "/tmp/" + "long/" * 1000
PATHS = {
    "~no_such_user/warehouse": "home directory",
    "/tmp/" + "x" * 300: "File name too long",
    LONG: "File name too long",
}


@pytest.mark.parametrize("value", PATHS)
@pytest.mark.parametrize("name", ["ROYALTY_WAREHOUSE_DIR", "ROYALTY_LANDING_DIR", "DAGSTER_HOME"])
def test_a_path_that_no_folder_can_have_is_refused_with_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=PATHS[value]) as refused:
        home_folder() if name == "DAGSTER_HOME" else Settings()
    assert refused.value.where == name
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize("value", ["", " ", "\t"])
def test_an_empty_folder_is_the_default_never_the_checkout(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    for name in ("ROYALTY_WAREHOUSE_DIR", "ROYALTY_LANDING_DIR", "DAGSTER_HOME"):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ROYALTY_SIGNING_KEY", value)
    settings = Settings()
    assert settings.warehouse_dir == PROJECT_ROOT / "warehouse"
    assert settings.landing_dir == PROJECT_ROOT / "landing"
    assert settings.signing_key is None
    assert home_folder() == PROJECT_ROOT / ".dagster"


@pytest.mark.parametrize("name", ["a[b]", "a*b", "a?b", "%41"])
def test_a_dagster_home_whose_settings_dagster_would_not_find_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Dagster takes the path for a pattern: without its settings it would send statistics."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / name))
    with pytest.raises(BadInput, match="a Dagster home that Dagster cannot open"):
        dagster_home()
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    "name", ["a #b", "$X ${HOME}", "{x} {{ y }}", "%s", "a;b", "it's", "文 é", "-x"]
)
def test_a_dagster_home_of_any_other_name_keeps_its_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / name))
    home = dagster_home()
    with DagsterInstance.from_config(str(home)) as instance:
        assert not instance.telemetry_enabled
        assert instance.get_runs() == []
    assert (home / "history" / "runs.db").is_file()
