import re
import zipfile
from pathlib import Path

import duckdb
import pytest

from dagster_project.layouts import CsvLayout, RawTable, ZipLayout
from dagster_project.layouts import zip_layout as zipped_layout
from tests.layouts.layout_reader import read, refusal

rates = RawTable("made_up__rates", ("date",), by_cell=True)
ZIPPED = ZipLayout(
    CsvLayout("made-up rates", rates, 1, ("Date",), re.compile("[A-Z]{3}")),
    member=re.compile(r"made_up\.csv"),
)


def zip_of(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return path


def test_a_zipped_file_is_read_like_a_plain_one(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = zip_of(
        tmp_path / "made_up.zip",
        readme__txt="made up",
        made_up__csv="Date,USD,JPY,\n2020-01-02,1.1,N/A,\n2020-01-03,1.2,,\n",
    )
    assert read(con, path, (ZIPPED,)).rows.fetchall() == [
        ("2020-01-02", "USD", "1.1", None, 2),
        ("2020-01-02", "JPY", "N/A", None, 2),
        ("2020-01-03", "USD", "1.2", None, 3),
        ("2020-01-03", "JPY", None, None, 3),
    ]


@pytest.mark.parametrize("folder", ["", "made_up/", "a/b/"])
def test_the_folder_of_a_member_does_not_matter(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, folder: str
) -> None:
    path = tmp_path / "made_up.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{folder}made_up.csv", "Date,USD\n2020-01-02,1.1\n")
        archive.writestr(f"__MACOSX/{folder}._made_up.csv", "of macOS")
    any_csv = ZipLayout(ZIPPED.inner, re.compile(r".*\.csv"))
    for layout in (ZIPPED, any_csv):
        assert read(con, path, (layout,)).rows.fetchall() == [("2020-01-02", "USD", "1.1", None, 2)]
        con.execute("drop table incoming")


def test_an_archive_without_the_member_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = zip_of(tmp_path / "made_up.zip", other__csv="Date,USD,\n")
    assert "an archive with 0 members called" in refusal(con, path, (ZIPPED,)).found


def test_a_file_that_is_not_an_archive_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "made_up.zip"
    path.write_text("Date,USD,\n")
    assert refusal(con, path, (ZIPPED,)).found == "a file that is not a zip archive"


def test_a_member_that_claims_to_be_too_large_is_not_unpacked(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipped_layout, "MAX_MEMBER_BYTES", 1000)
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n" + "2020-01-02,1.1,\n" * 100)
    assert "an archive with 1,610 bytes unpacked" in refusal(con, path, (ZIPPED,)).found


def test_a_member_larger_than_it_claims_is_not_unpacked_beyond_the_limit(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipped_layout, "MAX_MEMBER_BYTES", 1000)
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n" + "2020-01-02,1.1,\n" * 100)
    size, lie = (1610).to_bytes(4, "little"), (900).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, lie))
    assert "an archive with" in refusal(con, path, (ZIPPED,)).found


def test_a_damaged_archive_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n" + "2020-01-02,1.1,\n" * 100)
    content = bytearray(path.read_bytes())
    content[50] ^= 0xFF
    path.write_bytes(content)
    assert "an archive with" in refusal(con, path, (ZIPPED,)).found


def test_an_encrypted_archive_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n")
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the member's own header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the archive's directory
    path.write_bytes(content)
    assert "encrypted" in refusal(con, path, (ZIPPED,)).found


def test_an_archive_is_unpacked_once_for_all_layouts(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked: list[Path] = []
    unpack = ZipLayout._unpack

    def noted(self: ZipLayout, path: Path, target: Path) -> None:
        unpacked.append(target)
        unpack(self, path, target)

    monkeypatch.setattr(ZipLayout, "_unpack", noted)
    other = ZipLayout(CsvLayout("another", rates, 1, ("Day",)), ZIPPED.member)
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n2020-01-02,1.1,\n")
    with zipped_layout.unpacked_once():
        assert len(read(con, path, (other, ZIPPED)).rows) == 1
        assert len(unpacked) == 1
        assert unpacked[0].exists()  # a bulk file is read only when its rows are fetched
    assert not unpacked[0].parent.exists()


def test_an_archive_that_has_changed_is_unpacked_again(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = zip_of(tmp_path / "made_up.zip", made_up__csv="Date,USD,\n2020-01-02,1.1,\n")
    assert ZIPPED.mismatch(path) is None
    zip_of(path, made_up__csv="Date,USD,\n2020-01-02,1.15,\n2020-01-03,1.2,\n")
    assert len(read(con, path, (ZIPPED,)).rows) == 2
