import json
from pathlib import Path

import duckdb
import pytest

from dagster_project.layouts import JsonLayout, RawTable
from tests.layouts.layout_reader import read, refusal

things = RawTable("made_up__things", ("code", "name", "note"))
THINGS = JsonLayout("made-up things", things, "things", ("code", "name"))


def test_json_records_become_rows_and_absent_fields_null(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "made_up.json"
    path.write_text(
        json.dumps(
            {"things": [{"code": "NA", "name": "Ñandú"}, {"code": "B", "name": "b", "note": "n"}]}
        )
    )
    extract = read(con, path, (THINGS,))
    assert extract.rows.fetchall() == [
        ("NA", "Ñandú", None, None, 1),
        ("B", "b", "n", None, 2),
    ]
    assert (extract.rows_read, extract.rows_kept) == (2, 2)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"things": [{"code": "A", "name"', "text that is not JSON (line 1"),
        ('{"people": []}', "no list 'things'"),
        ('{"things": []}', "no list 'things'"),
        ('["things"]', "no list 'things'"),
        ('{"things": [{"code": "A", "name": "a"}, {"code": "B"}]}', "record 2 without name"),
    ],
)
def test_json_that_is_not_the_layout_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, content: str, found: str
) -> None:
    path = tmp_path / "made_up.json"
    path.write_text(content)
    assert found in refusal(con, path, (THINGS,)).found
