"""The forms in which the history of the ECB's reference rates circulates."""

import zipfile
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.ingest.load_release import load_release
from dagster_project.sources.ecb_reference_rates import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench.ledger_schema import create_ledger

NAME = "eurofxref-hist.csv"
WITH_COMMA = "Date,USD,JPY,ILS,\n2020-01-03,1.1147,120.38,N/A,\n2020-01-02,1.1193,121.75,3.8,\n"
WITHOUT = WITH_COMMA.replace(",\n", "\n")
RATES = [
    ("2020-01-02", "ILS", "3.8"),
    ("2020-01-02", "JPY", "121.75"),
    ("2020-01-02", "USD", "1.1193"),
    ("2020-01-03", "ILS", "N/A"),
    ("2020-01-03", "JPY", "120.38"),
    ("2020-01-03", "USD", "1.1147"),
]


def _loaded(con: duckdb.DuckDBPyConnection, path: Path) -> list[tuple]:
    create_ledger(con)
    load_release(con, SOURCE, Release(SOURCE.name, date(2020, 1, 3), (path,)))
    return con.execute(
        'select date, "_column", value from raw.ecb_reference_rates__daily order by all'
    ).fetchall()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        WITH_COMMA,
        WITHOUT,
        WITHOUT.replace("\n", "\r\n"),
        "Date,ILS,USD,JPY\n2020-01-03,N/A,1.1147,120.38\n2020-01-02,3.8,1.1193,121.75\n",
    ],
)
def test_every_form_gives_the_same_rates(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, content: str, zipped: bool
) -> None:
    path = tmp_path / NAME
    path.write_bytes(content.encode())
    if zipped:
        with zipfile.ZipFile(tmp_path / "eurofxref-hist.zip", "w") as archive:
            archive.write(path, NAME)
        path = tmp_path / "eurofxref-hist.zip"
    assert _loaded(con, path) == RATES


def test_rates_under_a_damaged_header_are_not_left_out(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / NAME
    path.write_text(WITH_COMMA.replace("JPY", "JP"))
    with pytest.raises(BadInput, match=r"found: 'JP', and '120.38' in row 2"):
        _loaded(con, path)
