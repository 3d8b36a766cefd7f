import csv
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import pytest

from dagster_project.base.settings import PROJECT_ROOT, Settings
from dagster_project.gates.run_suites import Batch, run_suites
from dagster_project.ingest.load_release import LoadResult, load_release
from dagster_project.pipeline.run import PUBLISHED
from dagster_project.sources.boj_flat_files import SOURCE
from dagster_project.sources.source import Release
from dagster_project.workbench.connection import open_workbench
from tests.fetching.publisher_server import zipped
from tests.gates.suite_cases import cases, cells, twice
from tests.layouts.layout_reader import changed, read, refusal
from tests.support import FIXTURES, TEXTS, Outcome, Scenario, Warehouse, built_once

FOLDER = FIXTURES / "landing_made_up" / "boj_flat_files" / "2025-03-10"
MONTHLY, QUARTERLY = FOLDER / "made_up_bp_m_en.csv", FOLDER / "made_up_regbp_q_jp.csv"
VALUES = PROJECT_ROOT.parent / "shared" / "reference" / "boj"  # not part of the repository
TABLE = "raw.boj_flat_files__observations"
STAGED = "staging.stg_boj_flat_files__observations"
CONFORMED = "intermediate.int_boj_flat_files__observations"
LONG = ("code", "desc", "struc", "unit", "date", "obs_value")

Series = tuple[str, str, str, str, dict[str, str]]


def transposed(name: str) -> list[Series]:
    """The real values of one flat file, by series: the file at hand has them as columns."""
    files = list(VALUES.glob(f"{name}_*.csv"))
    if not files:
        pytest.skip("the real values are not at ../shared/reference/boj")
    with files[0].open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    # Their header is "structure:unit", without code and dataset; quarters are dated by their last
    # month.
    quarterly = name == "regbp_q"
    periods = [f"{row[0][:4]}{int(row[0][5:7]) // (3 if quarterly else 1):02}" for row in rows]
    return [
        (f"SERIES{at}", "data set", *cell.rsplit(":", 1), dict(zip(periods, values, strict=True)))
        for at, (cell, *values) in enumerate(zip(header, *rows, strict=True))
        if at
    ]


def text(rows: Iterator[list[str]]) -> str:
    return "".join(",".join(row) + "\r\n" for row in rows)


def quoted(cells: tuple[str, ...]) -> list[str]:
    return [cells[0], *(f'"{cell}"' for cell in cells[1:])]


@cache
def wide(name: str) -> str:
    """The publisher's own layout."""
    series = transposed(name)
    header = ["", "", "", "", *series[0][4]]
    return text(iter([header, *([*quoted(each[:4]), *each[4].values()] for each in series)]))


@cache
def long(name: str) -> str:
    """One record per cell, as the R package makes them; quarters by their last month."""
    return text(
        iter(
            [
                list(LONG),
                *(
                    [*quoted(each[:4]), as_month(name, period), value]
                    for each in transposed(name)
                    for period, value in each[4].items()
                ),
            ]
        )
    )


def as_month(name: str, period: str) -> str:
    return period if name == "bp_m" else f"{period[:4]}{int(period[4:]) * 3:02}"


def archive(name: str, content: str, encoding: str = "cp932") -> bytes:
    return zipped({f"{name}_jp.csv": content.encode(encoding)})


def load(folder: Path, files: dict[str, bytes], day: date) -> tuple[Path, LoadResult]:
    settings = Settings(warehouse_dir=folder)
    paths = []
    for name, content in files.items():
        paths.append(folder / name)
        paths[-1].write_bytes(content)
    with open_workbench(settings) as con:
        loaded = load_release(con, SOURCE, Release(SOURCE.name, day, tuple(sorted(paths))))
    return settings.workbench, loaded


def failed(database: Path) -> list[str]:
    (result,) = run_suites(database, [Batch("real", TABLE, f"select * from {TABLE}")], Settings())
    return [detail["description"] for detail in result.details if not detail["success"]]


# The layouts


def test_our_series_are_kept_as_written_and_the_others_are_counted(
    con: duckdb.DuckDBPyConnection,
) -> None:
    extract = read(con, MONTHLY, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (10, 9)
    found = extract.rows.filter("code = 'MADEUP901C' and _column >= '202412'")
    assert found.select('unit, _column, "value", _row').fetchall() == [
        ("100 million Yen", "202412", "980.73221276", 3),
        ("100 million Yen", "202501", "989.54665439", 3),
        ("100 million Yen", "202502", None, 3),
    ]


def test_a_japanese_file_is_read_in_its_encoding(con: duckdb.DuckDBPyConnection) -> None:
    found = read(con, QUARTERLY, SOURCE.layouts).rows.filter("code = 'MADEUPQDCN'")
    assert found.select('structure, unit, _column, "value"').fetchall()[:2] == [
        ("サービス/その他サービス/知的財産権等使用料/中華人民共和国/支払", "億円", "202401", "20"),
        ("サービス/その他サービス/知的財産権等使用料/中華人民共和国/支払", "億円", "202402", "NA"),
    ]


def test_a_zipped_file_and_one_in_long_form_give_the_same(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with MONTHLY.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    records = (
        [*quoted(tuple(row[:4])), period, value]
        for row in rows
        for period, value in zip(header[4:], row[4:], strict=True)
    )
    path = tmp_path / "long.zip"
    path.write_bytes(archive("bp_m", text(iter([list(LONG), *records])), "utf-8"))
    columns = 'code, structure, unit, _column, "value"'
    extract = read(con, path, SOURCE.layouts)
    assert (extract.rows_read, extract.rows_kept) == (140, 126)
    reshaped = sorted(extract.rows.select(columns).fetchall(), key=str)
    con.execute("drop table incoming")
    served = read(con, MONTHLY, SOURCE.layouts).rows.select(columns).fetchall()
    assert reshaped == sorted(served, key=str)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b",,,,2024", b",,,2024", "row 1: the first columns are ['', '', '', '202401']"),
        (b"202402", b"2024-02", "'2024-02'"),
        (b"202402", b"202401", "the column '202401' twice"),
    ],
)
def test_a_header_with_another_structure_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, old: bytes, new: bytes, found: str
) -> None:
    problem = refusal(con, changed(tmp_path, MONTHLY, old, new), SOURCE.layouts)
    assert found in problem.found


def test_bytes_of_no_known_encoding_are_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "broken.csv"
    header, *rows = QUARTERLY.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + b"".join(rows) * 20 + b"\x81\r\n")
    problem = refusal(con, path, SOURCE.layouts)
    assert problem.expected == "UTF-8 or cp932"


# The real values, converted back to the publisher's layout


@pytest.fixture(scope="module", params=[wide, long], ids=["wide", "long"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    files = {f"{name}_jp.zip": archive(name, request.param(name)) for name in ("bp_m", "regbp_q")}
    return load(tmp_path_factory.mktemp("boj"), files, date(2017, 5, 12))


def test_of_the_real_values_103_series_are_kept(loaded: tuple[Path, LoadResult]) -> None:
    database, done = loaded
    monthly, quarterly = done.files
    with duckdb.connect(database, read_only=True) as con:
        (series,) = con.execute(
            f"select count(distinct structure), count(*) from {TABLE}"
        ).fetchall()
    assert series == (9 + 94, 9 * 264 + 94 * 12)
    assert (monthly.rows_read, quarterly.rows_read) in [
        (2742, 4089),
        (2742 * 264, 4089 * 12),
    ]


def test_the_real_values_pass_their_gate(loaded: tuple[Path, LoadResult]) -> None:
    assert failed(loaded[0]) == []


@pytest.fixture(scope="module")
def published(shared: Path) -> Scenario:
    """The real values and the bundled texts, through the whole run."""

    def build(warehouse: Warehouse) -> Outcome:
        for name in ("bp_m", "regbp_q"):
            warehouse.land(
                "boj_flat_files", "2017-05-12", f"{name}_jp.zip", archive(name, wide(name))
            )
        (warehouse.landing / "published_figures").symlink_to(TEXTS)
        return warehouse.run()

    transposed("bp_m")  # skips where they are not at hand
    return built_once(shared / "boj_flat_files", build)


def test_the_real_values_are_published_without_a_warning(published: Scenario) -> None:
    assert published.outcome.code == PUBLISHED
    assert "warn" not in published.outcome.output.lower()
    assert published.warehouse.published(
        "select count(*) from core.fct_royalty_observations where source = 'boj_flat_files'"
        " and '_U' in (partner_code, category_code)"
    ) == [(0,)]


def test_every_real_value_is_in_the_facts(published: Scenario) -> None:
    """Cell by cell, against an independent reading."""
    areas = {(row["source_code"]): row["economy_code"] for row in seed_rows("boj_flat_files")} | {
        "知的財産権等使用料": "WLD"
    }
    flows = {"受取": "receipts", "支払": "payments", "ネット": "balance"}
    categories = {"産業財産権等使用料": "IND_PROP", "著作権等使用料": "COPYRIGHT"}
    expected = set()
    for name in ("bp_m", "regbp_q"):
        for _, _, structure, _, values in transposed(name):
            if "知的財産権等使用料" not in structure:
                continue
            *_, detail, flow = structure.split("/")
            category = categories.get(detail, "_T")
            partner = "WLD" if category != "_T" else areas[detail]
            for period, value in values.items():
                part = period[4:] if name == "bp_m" else f"Q{int(period[4:])}"
                number = int(value) * 100 if value else None
                expected.add((partner, category, f"{period[:4]}-{part}", flows[flow], number))
    found = published.warehouse.published(
        "select partner_code, category_code, period, flow, value"
        " from core.fct_royalty_observations where source = 'boj_flat_files'"
    )
    assert len(found) == len(expected) == 9 * 264 + 94 * 12
    assert set(found) == expected


def seed_rows(source: str) -> list[dict[str, str]]:
    with (PROJECT_ROOT / "dbt" / "seeds" / "economy_code_map.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["source"] == source]


def flows(published: Scenario, where: str) -> list[tuple]:
    """Receipts, payments and balance in 100 million yen, and whether they are sums."""
    rows = published.warehouse.published(
        "select receipts / 100, payments / 100, balance / 100, is_computed"
        f" from core.fct_royalty_flows where source = 'boj_flat_files' and {where}"
    )
    return [tuple(rows[0])] if len(rows) == 1 else rows


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("period = '1996-01' and partner_code = 'WLD' and category_code = '_T'", (432, 970, -538)),
        ("period = '2014-Q1' and partner_code = 'USA'", (4232, 3651, 581)),
        ("period = '2016-Q4' and partner_code = 'USA'", (4793, 2718, 2075)),
        ("period = '2014-Q1' and partner_code = 'CHN'", (1082, 15, 1067)),
    ],
)
def test_what_the_bank_states(published: Scenario, where: str, expected: tuple) -> None:
    assert flows(published, where) == [(*expected, False)]


@pytest.mark.parametrize(
    ("year", "category", "balance"),
    [
        ("2003", "_T", 1493),
        ("2003", "IND_PROP", 4830),
        ("2003", "COPYRIGHT", -3339),
        ("2002", "_T", -732),
        ("2002", "IND_PROP", 2769),
        ("2002", "COPYRIGHT", -3501),
    ],
)
def test_twelve_months_make_a_year(
    published: Scenario, year: str, category: str, balance: int
) -> None:
    of_category = f"period = '{year}' and category_code = '{category}'"
    ((receipts, payments, found, is_computed),) = flows(
        published, f"{of_category} and partner_code = 'WLD'"
    )
    assert abs(found - balance) <= 3
    assert abs(receipts - payments - found) <= 18  # 36 rounded figures, each off by half at most
    assert is_computed
    assert published.warehouse.published(
        f"select is_computed from marts.mart_balance_by_category where {of_category}"
        " and reporter_code = 'JPN' and source = 'boj_flat_files'"
    ) == [(True,)]


def test_three_months_of_2017_make_a_quarter_and_no_year(published: Scenario) -> None:
    rows = published.warehouse.published(
        "select max(period) from core.fct_royalty_flows where source = 'boj_flat_files'"
        " and partner_code = 'WLD' and category_code = '_T' and is_computed group by frequency"
        " order by 1"
    )
    assert rows == [("2016",), ("2016-S2",), ("2017-Q1",)]
    assert (
        flows(published, "period = '2017-Q2' and partner_code = 'WLD' and category_code = '_T'")
        == []
    )


def test_a_stated_quarter_is_not_computed_and_the_year_of_an_area_sums_quarters(
    published: Scenario,
) -> None:
    total = "partner_code = 'WLD' and category_code = '_T' and period = "
    assert flows(published, f"{total}'2014-Q2'")[0] == (9873, 5644, 4229, False)
    assert flows(published, f"{total}'2013-Q4'")[0][3]
    (usa,) = flows(published, "partner_code = 'USA' and period = '2014'")
    assert usa[3]


def test_facts_contain_only_stated_figures(published: Scenario) -> None:
    assert published.warehouse.published(
        "select distinct frequency from core.fct_royalty_observations"
        " where source = 'boj_flat_files' order by 1"
    ) == [("M",), ("Q",)]


def test_areas_are_not_countries(published: Scenario) -> None:
    kinds = dict(
        published.warehouse.published(
            "select partner_code, kind from core.dim_partner where partner_code in"
            " (select partner_code from core.fct_royalty_flows where source = 'boj_flat_files')"
        )
    )
    assert len(kinds) == 47
    other = {code for code, kind in kinds.items() if kind != "country"}
    assert {code for code in kinds if code.startswith("BOJ_")} | {"WLD"} == other
    assert len(other) == 14


@pytest.mark.parametrize(
    ("claim", "found"),
    [
        ("boj-2004-japan-first-surplus-year", 2003),
        ("boj-2004-japan-2003-balance-sign", 1),
        ("boj-2004-japan-copyright-balance-sign", -1),
        ("mof-japan-2024-japan-2003-balance", 149.3),
        ("mof-japan-2024-japan-2003-industrial-property-balance", 483),
        ("mof-japan-2024-japan-2003-copyright-balance-sign", -1),
    ],
)
def test_the_bank_confirms_what_texts_say_of_2003(
    published: Scenario, claim: str, found: float
) -> None:
    ((verdict, value),) = published.warehouse.published(
        "select verdict, found_value from marts.mart_published_claims"
        f" where claim_id = '{claim}' and source = 'boj_flat_files'"
    )
    assert (verdict, value) == ("confirmed", pytest.approx(found, abs=0.1))


@pytest.mark.parametrize(
    ("claim", "verdict", "found"),
    [
        # Copyright, sums of months in 100 million yen: -5,302 in 2006, -3,339 in 2003.
        (
            "boj-2004-japan-copyright-balance-2006",
            "contradicted",
            100 * (3339 - 5302) / 3339,
        ),
        # Receipts: quarters of 2014 in 100 million yen; China 4,554 of 39,607.
        (
            "boj-2004-japan-china-receipts-share-after-2003",
            "confirmed",
            100 * (1082 + 1148 + 1072 + 1252) / (9580 + 9873 + 8812 + 11342),
        ),
    ],
)
def test_the_bank_answers_the_forecasts_of_2004(
    published: Scenario, claim: str, verdict: str, found: float
) -> None:
    ((answer, value, would_be_in),) = published.warehouse.published(
        f"select verdict, found_value, data_would_be_in from marts.claim_verdicts"
        f" where claim_id = '{claim}'"
    )
    assert (answer, would_be_in) == (verdict, None)
    assert value == pytest.approx(found, abs=0.1)


def test_a_first_surplus_is_the_first_since_the_series_begins(published: Scenario) -> None:
    assert published.warehouse.published(
        "select series_begins from marts.mart_published_claims where source = 'boj_flat_files'"
        " and claim_id = 'boj-2004-japan-first-surplus-year'"
    ) == [("1996",)]


def test_an_area_never_seen_before_is_kept_as_unmapped_with_a_warning(
    folders: Warehouse,
) -> None:
    known, new = "アメリカ合衆国".encode("cp932"), "月面".encode("cp932")
    folders.land(
        "boj_flat_files", "2025-03-10", QUARTERLY.name, QUARTERLY.read_bytes().replace(known, new)
    )
    outcome = folders.run()
    assert outcome.code == PUBLISHED
    (warning,) = [line for line in outcome.output.splitlines() if "warning: " in line]
    assert "| found: 1 code, with rows: structure '月面' (10) |" in warning
    assert folders.published(
        "select distinct partner_code from core.fct_royalty_observations"
        " where source = 'boj_flat_files' order by 1"
    ) == [("BOJ_ASIA",), ("BOJ_EU",), ("CHN",), ("WLD",), ("_U",)]
    ((count,),) = folders.published(
        "select max(failed) from audit.gate_results"
        " where table_name = 'intermediate.int_boj_flat_files__observations' and success"
    )
    assert count == 1


# The gates

CASES = cases(
    TABLE,
    {
        "the area or": cells(TABLE, "_row = 4", structure="'made up/月面/Credit'"),
        "unit is 100": cells(TABLE, "true", unit="'million yen'"),
        "a file has every": [
            f"select * from {TABLE} where _column <> '202405'",
            f"select * from {TABLE} where _file like '%bp_m%' and _column in ('202403', '202503')",
            cells(TABLE, "_column = '202401'", _column="'202400'"),
        ],
        "a series states": twice(TABLE, "_row = 4 and _column = '202402'"),
        "value is a number": cells(TABLE, "_row = 4 and _column = '202402'", value="'1,5'"),
        "a figure lies": cells(TABLE, "_row = 4 and _column = '202402'", value="'-100000.5'"),
        "no figure has": cells(
            TABLE, "true", _column="cast(cast(_column as integer) + 100 as varchar)"
        ),
    },
)
CASES += cases(
    TABLE,
    {"the structure ends": cells(TABLE, "_row = 4", structure="structure || '/Balance'")},
    also=("the area or",),  # which is the part before the flow
)
CASES += cases(STAGED, {"a period has": cells(STAGED, "obs_status = 'L'", value="1")})
CASES += cases(
    CONFORMED,
    {
        "industrial property and": cells(
            CONFORMED, "period = '2024-05' and category_code = 'COPYRIGHT'", value="value + 0.5"
        )
    },
)
