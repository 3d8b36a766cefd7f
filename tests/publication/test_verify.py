"""`make verify`, and the operator's signature."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest
from minisign import KeyPair

from dagster_project.__main__ import main
from dagster_project.base.errors import BadInput
from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.publication import kept_files
from dagster_project.publication.catalog import unsafe_objects
from dagster_project.publication.kept_files import kept_publications
from dagster_project.publication.publish import reconcile
from dagster_project.publication.rollback import roll_back
from dagster_project.publication.verify import verify
from tests.publication.test_publish import refusal
from tests.support import Scenario, Warehouse, interrupt

TABLE = "core.fct_royalty_flows"


@pytest.fixture
def published(warehouse: Warehouse) -> Path:
    """The file of a publication without a signature."""
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    return kept_publications(warehouse.settings)[0]


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyPair:
    """The operator's keys, in the environment."""
    pair = KeyPair.generate()
    path = tmp_path / "royalty.key"
    path.write_bytes(bytes(pair.secret_key) + b"\n")
    path.chmod(0o600)
    (tmp_path / "royalty.pub").write_bytes(bytes(pair.public_key) + b"\n")
    monkeypatch.setenv("ROYALTY_SIGNING_KEY", str(path))
    monkeypatch.setenv("ROYALTY_VERIFY_KEY", str(tmp_path / "royalty.pub"))
    return pair


@pytest.fixture
def signed(warehouse: Warehouse, keys: KeyPair) -> Path:
    """The file of a signed publication."""
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    return kept_publications(warehouse.settings)[0]


def problems(warehouse: Warehouse) -> list[str]:
    return verify(warehouse.settings).problems


def beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.minisig")


def change(path: Path, sql: str) -> None:
    path.chmod(0o644)
    with duckdb.connect(path) as con:
        con.execute(sql)


# Without a key


def test_a_publication_is_verified_in_its_file_tables_objects_and_downloads(
    warehouse: Warehouse, published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = verify(warehouse.settings)
    assert done.problems == []
    assert done.checked["SHA-256 in"] == f"{published.name}.sha256, datapackage.json, the ledger"
    assert done.checked["signature"] == "none"
    assert main(["verify"]) == 0
    assert capsys.readouterr().out.endswith("verified\n")


def test_a_changed_number_is_reported_and_the_exit_code_is_not_zero(
    warehouse: Warehouse, published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(published, f"update {TABLE} set receipts = coalesce(receipts, 0) + 1 where rowid = 0")
    found = problems(warehouse)
    assert f"{TABLE} is not as published" in found
    wrong = [problem for problem in found if problem.startswith("the SHA-256 of the file is ")]
    assert len(wrong) == 3
    assert main(["verify"]) == 1
    assert f"{TABLE} is not as published" in capsys.readouterr().out


def test_checksums_that_were_adapted_do_not_help(warehouse: Warehouse, published: Path) -> None:
    change(
        published,
        f"update {TABLE} set receipts = coalesce(receipts, 0) + 1 where rowid = 0;"
        " update audit.checksums set checksum = (select sum(hash(t))::varchar"
        f" from {TABLE} as t) where table_name = '{TABLE}'",
    )
    found = problems(warehouse)
    assert found
    assert all(problem.startswith("the SHA-256 of the file is ") for problem in found)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("create view extra as select 1 as a", "the view main.extra is not the project's"),
        ("create macro count(a) as 1", "the macro main.count is not the project's"),
        ("drop macro table balance_of", "the macro main.balance_of is missing"),
    ],
)
def test_an_object_that_is_not_the_projects_is_named(
    warehouse: Warehouse, published: Path, sql: str, problem: str
) -> None:
    change(published, sql)
    assert problem in problems(warehouse)


def test_a_publication_of_another_version_has_no_objects_that_run(
    warehouse: Warehouse, published: Path
) -> None:
    change(
        published,
        "update audit.publication set fingerprint = 'another';"
        " create view extra as select 1 as a; create macro extra(a) as a;"
        " drop macro table balance_of",
    )
    found = problems(warehouse)
    assert "the view main.extra is none that the project makes" in found
    assert "the macro main.extra is none that the project makes" in found
    assert not [problem for problem in found if "balance_of" in problem]


def test_a_changed_missing_or_foreign_download_is_named(
    warehouse: Warehouse, published: Path
) -> None:
    folder = warehouse.settings.exports / "current"
    with (folder / "core.dim_region.parquet").open("ab") as file:
        file.write(b"\0")
    (folder / "core.dim_sector.parquet").unlink()
    (folder / "extra.parquet").write_bytes(b"")
    assert problems(warehouse) == [
        f"the download {name}.parquet is not as published"
        for name in ("core.dim_region", "core.dim_sector", "extra")
    ]


def test_a_log_that_duckdb_would_apply_is_reported(warehouse: Warehouse, published: Path) -> None:
    log = warehouse.settings.warehouse
    log.with_name(f"{log.name}.wal").write_bytes(b"")
    assert problems(warehouse) == ["a write-ahead log is beside the file: DuckDB would apply it"]


def test_a_file_put_in_the_published_files_place_is_reported(
    warehouse: Warehouse, published: Path
) -> None:
    live = warehouse.settings.warehouse
    shutil.copyfile(live, live.with_name("copy"))
    live.with_name("copy").replace(live)
    assert "the published file is not one of the kept publications" in problems(warehouse)


def test_the_macros_of_the_project_are_safe_in_a_publication_of_any_version(
    template: Scenario,
) -> None:
    assert unsafe_objects(template.warehouse.settings.warehouse) == []


def test_a_publication_whose_sha256_is_recorded_nowhere_is_not_verified(
    warehouse: Warehouse, published: Path
) -> None:
    published.with_name(f"{published.name}.sha256").unlink()
    shutil.rmtree(warehouse.settings.exports)
    warehouse.change_ledger("delete from audit.published_files")
    assert problems(warehouse) == ["the SHA-256 of the file was not recorded, and no key is set"]


def test_without_a_publication_there_is_nothing_to_verify(folders: Warehouse) -> None:
    with pytest.raises(BadInput, match="nothing to verify"):
        verify(folders.settings)


def test_a_reader_can_verify_and_nothing_is_written(warehouse: Warehouse, published: Path) -> None:
    """As another user, who can write nowhere below the folder."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    code = (
        "import os\n"
        "from dagster_project.base.settings import Settings\n"
        "from dagster_project.publication.catalog import _project_catalog\n"
        "from dagster_project.publication.verify import verify\n"
        "_project_catalog()  # another user may not be able to read this Python's modules\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "done = verify(Settings())\n"
        "print(done.problems, done.checked['ledger'])"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        copy = warehouse.copy(Path(folder))
        before = sorted(Path(folder).rglob("*"))
        found = subprocess.run(
            [sys.executable, "-c", code],
            cwd=PROJECT_ROOT,
            env={**os.environ, **copy.environment, "TMPDIR": "/tmp"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.stdout == "[] not compared: only the operator can read it\n", found.stderr
        assert sorted(Path(folder).rglob("*")) == before


# With a key


def test_a_signed_publication_is_verified_with_the_public_key(
    warehouse: Warehouse, signed: Path
) -> None:
    settings = warehouse.settings
    assert problems(warehouse) == []
    assert beside(settings.warehouse).samefile(beside(signed))
    assert (settings.exports / "current" / "datapackage.json.minisig").exists()


def test_the_signature_is_that_of_minisign(
    warehouse: Warehouse, signed: Path, keys: KeyPair
) -> None:
    keys.public_key.verify_file(warehouse.settings.warehouse)
    lines = beside(warehouse.settings.warehouse).read_text().splitlines()
    identity = signed.stem.removeprefix("royalty_flows-")
    assert lines[2] == f"trusted comment: publication:{identity}"


def test_a_file_changed_with_all_its_checksums_has_a_wrong_signature(
    warehouse: Warehouse, signed: Path
) -> None:
    change(signed, "comment on table core.dim_region is 'extra'")
    assert f"{beside(signed).name} is wrong: signature verification failed" in problems(warehouse)


def test_a_signature_with_another_key_is_wrong(
    warehouse: Warehouse, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = KeyPair.generate().public_key.to_base64().decode()
    monkeypatch.setenv("ROYALTY_VERIFY_KEY", other)
    assert f"{beside(signed).name} is wrong: incompatible key identifiers" in problems(warehouse)


def test_a_missing_signature_is_reported(
    warehouse: Warehouse, published: Path, keys: KeyPair
) -> None:
    assert problems(warehouse) == [
        f"{published.name} has no signature",
        "datapackage.json has no signature",
    ]


def test_a_stale_signature_is_reported(warehouse: Warehouse, signed: Path) -> None:
    settings = warehouse.settings
    old = beside(signed).read_bytes()
    warehouse.restore_candidate()
    identity = warehouse.publish_candidate().publication_id
    newest = kept_publications(settings)[0]
    beside(settings.warehouse).unlink()
    beside(settings.warehouse).write_bytes(old)
    assert problems(warehouse) == [
        "royalty_flows.duckdb.minisig is not the signature of the live publication"
    ]
    beside(newest).unlink()
    beside(newest).write_bytes(old)
    first = signed.stem.removeprefix("royalty_flows-")
    stale = f"{beside(newest).name} is the signature of publication {first}, not {identity}"
    assert problems(warehouse) == [stale]


def test_a_changed_data_package_is_reported(warehouse: Warehouse, signed: Path) -> None:
    package = warehouse.settings.exports / "current" / "datapackage.json"
    content = json.loads(package.read_text())
    package.write_text(json.dumps(content | {"title": "another"}))
    assert problems(warehouse) == [
        "datapackage.json.minisig is wrong: signature verification failed"
    ]


def test_rolling_back_brings_the_signature_along(warehouse: Warehouse, signed: Path) -> None:
    settings = warehouse.settings
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    roll_back(settings)
    assert beside(settings.warehouse).samefile(beside(signed))
    assert problems(warehouse) == []


def test_an_unsigned_publication_leaves_no_signature_of_another(
    warehouse: Warehouse, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROYALTY_SIGNING_KEY")
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    assert not beside(warehouse.settings.warehouse).exists()
    monkeypatch.setenv("ROYALTY_VERIFY_KEY", "")
    assert problems(warehouse) == []


def test_a_crash_between_signature_and_file_is_repaired(
    warehouse: Warehouse, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = warehouse.settings
    warehouse.restore_candidate()
    with monkeypatch.context() as patch:
        patch.setattr(kept_files, "replace_file", interrupt)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish_candidate()
    newest = kept_publications(settings)[0]
    assert settings.warehouse.samefile(signed)
    reconcile(settings)
    assert settings.warehouse.samefile(newest)
    assert beside(settings.warehouse).samefile(beside(newest))
    assert problems(warehouse) == []


def test_deleted_publications_leave_nothing_beside_them(
    warehouse: Warehouse, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_KEEP_PUBLICATIONS", "1")
    warehouse.restore_candidate()
    warehouse.publish_candidate()
    (newest,) = kept_publications(warehouse.settings)
    names = {path.name for path in warehouse.settings.publications.iterdir()}
    assert names == {newest.name, beside(newest).name, f"{newest.name}.sha256"}


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda path: path.chmod(0o644), "a file that other users may read or change"),
        (lambda path: path.write_text("made up"), "invalid number of lines"),
        (lambda path: path.unlink(), "No such file"),
    ],
)
def test_a_key_that_cannot_be_used_stops_the_publication(
    warehouse: Warehouse, keys: KeyPair, spoil: object, found: str
) -> None:
    assert callable(spoil)
    path = Settings().signing_key
    assert path
    spoil(path)
    warehouse.restore_candidate()
    assert found in refusal(warehouse)
    assert warehouse.settings.candidate.exists()


def test_a_key_with_a_password_stops_the_publication(warehouse: Warehouse, keys: KeyPair) -> None:
    path = Settings().signing_key
    assert path
    keys.secret_key.encrypt("made up", opslimit=2**15, memlimit=2**24)
    path.write_bytes(bytes(keys.secret_key))
    warehouse.restore_candidate()
    assert refusal(warehouse) == "a key with a password, which no run can enter"


def test_a_public_key_that_is_none_is_refused(
    warehouse: Warehouse, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_VERIFY_KEY", "made up")
    with pytest.raises(BadInput, match="the public key cannot be used"):
        verify(warehouse.settings)
