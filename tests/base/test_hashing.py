from pathlib import Path

from dagster_project.base.hashing import file_sha256, tree_sha256

SQL = frozenset({".sql"})


def write(folder: Path, name: str, text: str = "select 1") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_has_the_digest_that_sha256sum_prints(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "abc")
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_beginning_of_a_file_has_the_digest_of_a_shorter_one(tmp_path: Path) -> None:
    short, long = write(tmp_path, "a.txt", "abc" * 3_000_000), tmp_path / "b.txt"
    long.write_bytes(short.read_bytes() + b"defg")
    assert file_sha256(long, short.stat().st_size) == file_sha256(short) != file_sha256(long)


def test_a_tree_changes_with_content_names_and_new_files_only(tmp_path: Path) -> None:
    root = tmp_path / "dbt"
    path = write(root, "models/a.sql")
    before = tree_sha256([root], SQL)
    path.touch()
    write(root, "models/a.pyc")
    write(root, "target/a.sql")
    assert tree_sha256([root], SQL) == before
    digests = {before}
    write(root, "models/a.sql", "select 2")
    digests.add(tree_sha256([root], SQL))
    write(root, "models/b.sql")
    digests.add(tree_sha256([root], SQL))
    path.rename(root / "models" / "aa.sql")
    digests.add(tree_sha256([root], SQL))
    assert len(digests) == 4


def test_a_tree_has_the_same_digest_in_any_folder(tmp_path: Path) -> None:
    for name in ("here", "there"):
        write(tmp_path / name / "dbt", "models/a.sql")
    digests = {tree_sha256([tmp_path / name / "dbt"], SQL) for name in ("here", "there")}
    assert len(digests) == 1


def test_where_one_name_ends_and_content_begins_matters(tmp_path: Path) -> None:
    write(tmp_path / "one" / "r", "a.sql", "b")
    write(tmp_path / "two" / "r", "ab.sql", "")
    assert tree_sha256([tmp_path / "one" / "r"], SQL) != tree_sha256([tmp_path / "two" / "r"], SQL)
