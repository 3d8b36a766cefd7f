"""Publications in object storage: upload, rollback, pruning, and what goes wrong there."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.__main__ import main
from dagster_project.base.errors import BadInput, TryLater
from dagster_project.maintenance.status import status
from dagster_project.publication import upload as uploading
from dagster_project.publication.exports import exports_of
from dagster_project.publication.kept_files import publication_id
from dagster_project.publication.object_store import Objects
from dagster_project.publication.rollback import roll_back
from dagster_project.publication.upload import is_uploaded, upload, upload_errors
from dagster_project.publication.verify import verify
from tests.publication.s3_server import SECRET, S3Server
from tests.support import Warehouse, held_by


def publish_next(warehouse: Warehouse) -> str:
    warehouse.restore_candidate()
    return warehouse.publish_candidate().publication_id


def shown(warehouse: Warehouse) -> str:
    """The line of `make status` on object storage."""
    (line,) = [line for line in status(warehouse.settings, str) if line.startswith("object store")]
    return line


# What is there


def test_current_json_names_every_file_with_the_sha256_of_what_is_stored(
    warehouse: Warehouse, s3: S3Server
) -> None:
    live = held_by(warehouse.settings.warehouse)
    done = upload(warehouse.settings)
    current = s3.current()
    assert current["publication"] == done.publication_id == live
    assert current["published_at"].startswith(f"{live[:4]}-{live[4:6]}-{live[6:8]}T")
    downloads = {path.name for path in exports_of(warehouse.settings, live).iterdir()}
    paths = {f"publications/{live}/{name}" for name in {*downloads, "royalty_flows.duckdb"}}
    assert {file["path"] for file in current["files"]} == paths == s3.names("publications/")
    for file in current["files"]:
        content = s3.get(file["path"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            file["bytes"],
            file["sha256"],
        )
    assert s3.get(f"publications/{live}/royalty_flows.duckdb") == (
        warehouse.settings.warehouse.read_bytes()
    )


def test_a_signature_is_uploaded_and_verifies_what_is_there(
    warehouse: Warehouse, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minisign import KeyPair, Signature

    pair = KeyPair.generate()
    key = tmp_path / "royalty.key"
    key.touch(mode=0o600)
    key.write_bytes(bytes(pair.secret_key) + b"\n")
    monkeypatch.setenv("ROYALTY_SIGNING_KEY", str(key))
    live = publish_next(warehouse)
    upload(warehouse.settings)
    for name in ("royalty_flows.duckdb", "datapackage.json"):
        signature = Signature.from_bytes(s3.get(f"publications/{live}/{name}.minisig"))
        pair.public_key.verify(s3.get(f"publications/{live}/{name}"), signature)


def test_what_is_there_is_not_written_again(warehouse: Warehouse, s3: S3Server) -> None:
    assert len(upload(warehouse.settings).stored) == len(s3.current()["files"])
    before = s3.get("current.json")
    assert upload(warehouse.settings).stored == []
    assert s3.get("current.json") == before
    assert upload(warehouse.settings, force=True).stored == []


def test_old_publications_are_deleted_as_the_kept_ones_are(
    warehouse: Warehouse, s3: S3Server
) -> None:
    s3.put("publications/notes/readme.txt", b"made up")
    s3.put("publications/20010101T000000000-copy/a.parquet", b"made up")
    published = [publication_id(warehouse.settings)]
    upload(warehouse.settings)
    for _ in range(4):
        published.append(publish_next(warehouse))
        upload(warehouse.settings)
    others = {"notes", "20010101T000000000-copy"}
    assert set(s3.publications()) - others == set(published[-3:])
    assert others <= set(s3.publications())


def test_the_publication_before_the_current_one_stays_whatever_the_number_to_keep(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_KEEP_PUBLICATIONS", "1")
    first = publication_id(warehouse.settings)
    upload(warehouse.settings)
    second = publish_next(warehouse)
    assert upload(warehouse.settings).pruned == []
    assert upload(warehouse.settings).pruned == []
    assert s3.publications() == [first, second]
    third = publish_next(warehouse)
    assert upload(warehouse.settings).pruned == [first]
    assert s3.publications() == [second, third]


def test_a_rollback_switches_there_too_and_forward_again(
    warehouse: Warehouse, s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    first = publication_id(warehouse.settings)
    upload(warehouse.settings)
    second = publish_next(warehouse)
    upload(warehouse.settings)
    assert main(["rollback"]) == 0
    assert s3.current()["publication"] == first
    assert s3.current()["previous"] == second
    assert f"uploaded {first}: " in capsys.readouterr().out
    assert main(["rollback", "--to", second]) == 0
    assert s3.current()["publication"] == second


def test_a_rollback_to_a_publication_that_was_deleted_there_brings_it_back(
    warehouse: Warehouse, s3: S3Server
) -> None:
    first = publication_id(warehouse.settings)
    publish_next(warehouse)
    upload(warehouse.settings)
    roll_back(warehouse.settings, first)
    upload(warehouse.settings)
    assert s3.current()["publication"] == first
    assert upload_errors(warehouse.settings) == []


# status, verify


def test_status_shows_which_publication_is_current_there(
    warehouse: Warehouse, s3: S3Server
) -> None:
    live = held_by(warehouse.settings.warehouse)
    assert "no publication; NOT the live one: `make upload`" in shown(warehouse)
    upload(warehouse.settings)
    assert shown(warehouse).endswith(f"{warehouse.settings.publish_url}: {live}, the live one")
    publish_next(warehouse)
    assert f": {live}; NOT the live one: `make upload`" in shown(warehouse)


def test_status_goes_on_if_the_store_does_not_answer(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    lines = list(status(warehouse.settings, str))
    (line,) = [line for line in lines if line.startswith("object store")]
    assert "UNKNOWN, the object store does not do what it is asked" in line
    assert any(line.startswith("disk") for line in lines)
    assert not is_uploaded(warehouse.settings)


def test_verify_reads_every_object(warehouse: Warehouse, s3: S3Server) -> None:
    live = held_by(warehouse.settings.warehouse)
    assert verify(warehouse.settings).problems == [
        f"current.json names none, not {live}: run `make upload`"
    ]
    upload(warehouse.settings)
    done = verify(warehouse.settings)
    assert done.problems == []
    assert done.checked["object store"].startswith("s3://")
    damaged, missing, *_ = (file["path"] for file in s3.current()["files"])
    content = s3.get(damaged)
    s3.put(damaged, content[:-1] + bytes([content[-1] ^ 1]))
    s3.delete(missing)
    s3.put(f"publications/{live}/extra.parquet", b"made up")
    assert sorted(verify(warehouse.settings).problems) == sorted(
        [
            f"{damaged} in object storage is not as published",
            f"{missing} is missing in object storage",
            f"publications/{live}/extra.parquet in object storage is not the publication's",
        ]
    )
    assert sorted(upload(warehouse.settings, force=True).stored) == sorted([damaged, missing])


def test_verify_reports_a_pointer_that_states_other_files(
    warehouse: Warehouse, s3: S3Server
) -> None:
    upload(warehouse.settings)
    current = s3.current()
    current["files"][0]["sha256"] = "0" * 64
    s3.put("current.json", json.dumps(current).encode())
    assert upload_errors(warehouse.settings) == [
        "current.json does not state the files as published"
    ]
    assert not is_uploaded(warehouse.settings)
    upload(warehouse.settings)
    assert upload_errors(warehouse.settings) == []


# What goes wrong


def test_an_object_that_the_store_damages_keeps_the_last_publication_current(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publication_id(warehouse.settings)
    upload(warehouse.settings)
    publish_next(warehouse)
    put = Objects.put

    def damaging(self: Objects, name: str, file: Path) -> None:
        put(self, name, file)
        if name.endswith("mart_coverage.parquet"):
            content = file.read_bytes()
            s3.put(name, content[:-1] + bytes([content[-1] ^ 1]))

    with monkeypatch.context() as patch:
        patch.setattr(Objects, "put", damaging)
        with pytest.raises(BadInput, match="an uploaded file is not as published") as caught:
            upload(warehouse.settings)
    assert "mart_coverage.parquet" in caught.value.where
    assert s3.current()["publication"] == first
    (_again,) = [name for name in upload(warehouse.settings).stored if "mart_coverage" in name]
    assert s3.current()["publication"] == publication_id(warehouse.settings)
    assert upload_errors(warehouse.settings) == []


def test_a_damaged_local_download_is_not_uploaded_as_current(
    warehouse: Warehouse, s3: S3Server
) -> None:
    live = held_by(warehouse.settings.warehouse)
    path = exports_of(warehouse.settings, live) / "marts.mart_world_ranking.parquet"
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BadInput, match=r"not as published.*mart_world_ranking"):
        upload(warehouse.settings)
    assert "current.json" not in s3.names()


def test_an_object_that_vanished_is_noticed_and_put_back(
    warehouse: Warehouse, s3: S3Server
) -> None:
    upload(warehouse.settings)
    assert is_uploaded(warehouse.settings)
    path = s3.current()["files"][3]["path"]
    s3.delete(path)
    assert not is_uploaded(warehouse.settings)
    assert upload(warehouse.settings).stored == [path]
    assert is_uploaded(warehouse.settings)


def test_a_second_warehouse_is_refused_and_nothing_changes(
    warehouse: Warehouse, s3: S3Server, tmp_path: Path
) -> None:
    other = warehouse.copy(tmp_path / "other").settings
    upload(other)  # a copy: the same publication
    ours = publish_next(warehouse)
    upload(warehouse.settings)
    with pytest.raises(BadInput, match="another warehouse publishes there") as caught:
        upload(other)
    assert ours in caught.value.found
    assert s3.current()["publication"] == ours
    upload(other, force=True)
    assert s3.current()["publication"] == publication_id(other)


def do_meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have another upload act before the objects of this one are stored."""
    store = uploading._store

    def meanwhile(*args: Any, **options: Any) -> list[str]:
        act()
        return store(*args, **options)

    monkeypatch.setattr(uploading, "_store", meanwhile)


def test_two_uploads_at_once_cannot_both_switch(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(warehouse.settings)
    theirs = json.dumps({"publication": "20010101T000000000", "files": []}).encode()
    publish_next(warehouse)
    do_meanwhile(monkeypatch, lambda: s3.put("current.json", theirs))
    with pytest.raises(BadInput, match="replaced during the upload"):
        upload(warehouse.settings)
    assert s3.get("current.json") == theirs


def test_the_first_switch_is_exclusive_too(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_meanwhile(monkeypatch, lambda: s3.put("current.json", b"theirs"))
    with pytest.raises(BadInput, match="replaced during the upload"):
        upload(warehouse.settings)
    assert s3.get("current.json") == b"theirs"


def test_a_pointer_of_another_program_is_refused_by_name(
    warehouse: Warehouse, s3: S3Server
) -> None:
    for content in (b"<html>", b"[]", b'{"publication": 1}', b"{}"):
        s3.put("current.json", content)
        with pytest.raises(BadInput, match=r"current\.json is not one that this project writes"):
            upload(warehouse.settings)
        assert s3.get("current.json") == content
        assert "UNKNOWN, current.json is not one" in shown(warehouse)
    upload(warehouse.settings, force=True)
    assert upload_errors(warehouse.settings) == []


def test_a_switch_whose_answer_was_lost_counts(warehouse: Warehouse, s3: S3Server) -> None:
    objects = Objects.open(warehouse.settings)
    assert objects.replace("current.json", b"1", None)
    assert objects.replace("current.json", b"1", None)  # repeated after a lost answer
    assert not objects.replace("current.json", b"2", None)


def test_an_outage_is_worth_another_try_and_a_refusal_is_not(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.allow("s3:PutObject")
    with pytest.raises(BadInput, match="the object store refuses access") as refused:
        upload(warehouse.settings)
    assert not isinstance(refused.value, TryLater)
    assert refused.value.found.startswith("403 Forbidden")
    s3.allow()
    monkeypatch.setenv("ROYALTY_PUBLISH_URL", "s3://no-such-bucket/a")
    with pytest.raises(BadInput, match="no such bucket") as missing:
        upload(warehouse.settings)
    assert missing.value.found == "404 Not Found NoSuchBucket"
    monkeypatch.setenv("ROYALTY_PUBLISH_SECONDS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(TryLater, match="the object store does not do what it is asked"):
        upload(warehouse.settings)


def test_no_message_quotes_a_secret(
    warehouse: Warehouse, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.allow("s3:PutObject", "s3:GetObject")
    with pytest.raises(BadInput) as refused:
        upload(warehouse.settings)
    for text in (str(refused.value), repr(refused.value.__cause__), shown(warehouse)):
        assert SECRET not in text
        assert "Signature" not in text


@pytest.mark.parametrize(
    "url", ["s3://key:hidden@bucket/a", "s3://bucket/a?secret=hidden", "file:///a#hidden"]
)
def test_a_url_with_credentials_is_refused_and_not_repeated(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROYALTY_PUBLISH_URL", url)
    assert main(["status"]) == 1
    printed = capsys.readouterr().out
    assert "ROYALTY_PUBLISH_URL" in printed
    assert "hidden" not in printed


@pytest.mark.parametrize(
    "url", ["bucket/a", "http://host/a", "s3:///a", "s3:", "file://host/a", "file:///", "ftp://a/b"]
)
def test_a_url_of_no_store_is_refused(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROYALTY_PUBLISH_URL", url)
    assert main(["status"]) == 1
    assert "s3://bucket/prefix" in capsys.readouterr().out


def test_without_a_url_upload_says_what_to_set(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["upload"]) == 1
    assert "ROYALTY_PUBLISH_URL" in capsys.readouterr().out


# A folder


def test_a_folder_is_a_store_that_everybody_can_read(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a folder" / "ü"
    monkeypatch.setenv("ROYALTY_PUBLISH_URL", folder.as_uri())
    assert "UNKNOWN" in shown(warehouse)
    assert not folder.exists()  # `make status` writes nothing
    first = publication_id(warehouse.settings)
    assert main(["upload"]) == 0
    second = publish_next(warehouse)
    assert main(["upload"]) == 0
    current = json.loads((folder / "current.json").read_bytes())
    assert (current["publication"], current["previous"]) == (second, first)
    assert upload_errors(warehouse.settings) == []
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path
    for _ in range(3):
        publish_next(warehouse)
        upload(warehouse.settings)
    assert len(list((folder / "publications").iterdir())) == 3


def test_two_uploads_into_one_folder_are_noticed(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "there"
    monkeypatch.setenv("ROYALTY_PUBLISH_URL", folder.as_uri())
    upload(warehouse.settings)
    publish_next(warehouse)
    do_meanwhile(monkeypatch, lambda: (folder / "current.json").write_bytes(b"theirs"))
    with pytest.raises(BadInput, match="replaced during the upload"):
        upload(warehouse.settings)
    assert (folder / "current.json").read_bytes() == b"theirs"
