import zipfile
from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest.load_release import LoadResult
from dagster_project.sources.oecd_wto_batis import SOURCE
from tests.gates.suite_cases import cases, cells, failed_by
from tests.layouts.layout_reader import changed as changed_file
from tests.layouts.layout_reader import read, refusal
from tests.sources.raw_suites import changed, load
from tests.support import FIXTURES, REAL_FILES, Scenario

MADE_UP = FIXTURES / "landing_made_up" / "oecd_wto_batis"
WTO = MADE_UP / "2025-12-01" / "made_up_wto_mirror.csv"
OECD = MADE_UP / "2025-12-02" / "made_up_oecd_mirror.csv"
SWISS = REAL_FILES.parent / "reference" / "batis_dec2025_CH_rows.csv"
REAL = REAL_FILES / "oecd_wto_batis" / "2025-12-01" / "batis_bpm6_dec2025_AR_SH_excerpt.csv"
TABLE = "raw.oecd_wto_batis__observations"
STAGED = "staging.stg_oecd_wto_batis__observations"
CONFORMED = "intermediate.int_oecd_wto_batis__observations"


@pytest.fixture(scope="module", params=[WTO, OECD], ids=["WTO", "OECD"])
def mirror(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, LoadResult]:
    return load(SOURCE, tmp_path_factory.mktemp("mirror"), request.param)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LoadResult]:
    if not REAL.is_file():
        pytest.skip("the publisher's files are not part of the repository")
    return load(SOURCE, tmp_path_factory.mktemp("real"), REAL)


def test_each_mirror_has_its_layout() -> None:
    assert OECD.read_bytes().startswith(b"\xef\xbb\xbf")
    wto, oecd = SOURCE.layouts[:2]
    assert (wto.mismatch(WTO), oecd.mismatch(OECD)) == (None, None)
    assert "'Methodology' instead of 'Final_value_methodology'" in str(wto.mismatch(OECD))


def test_other_items_are_counted_and_left_out(mirror: tuple[Path, LoadResult]) -> None:
    _, loaded = mirror
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(7, 6)]
    assert loaded.rows == {"oecd_wto_batis__observations": 6}


def test_codes_are_text(con: duckdb.DuckDBPyConnection) -> None:
    rows = read(con, WTO, SOURCE.layouts).rows
    assert rows.select("reporter, partner, reported_value, _row").fetchall()[1:4] == [
        ("NA", "WL", "NA", 3),
        ("NA", "888", None, 4),
        ("888", "NA", None, 5),
    ]


def test_a_mirror_is_read_from_its_zip_too(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "bulk.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(OECD, "bulk.csv")
    assert len(read(con, path, SOURCE.layouts).rows) == 6


def test_a_renamed_column_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = changed_file(tmp_path, WTO, b"Item_code", b"Item")
    assert "'Item' instead of 'Item_code'" in refusal(con, path, SOURCE.layouts).found


# The gate on raw


def test_the_gate_accepts_both_mirrors(mirror: tuple[Path, LoadResult]) -> None:
    assert failed_by(mirror[0], TABLE, f"select * from {TABLE}") == {}


def test_a_release_is_not_smaller_because_the_one_before_kept_all_items(
    mirror: tuple[Path, LoadResult],
) -> None:
    good = f"select * from {TABLE}"
    others = "select table_.* replace ('SB' as item_code, 'QQ' as reporter)"
    before = f"{good} union all {others} from {TABLE} as table_, range(30)"
    assert failed_by(mirror[0], TABLE, good, before) == {}


CASES = cases(
    TABLE,
    {
        "reporter and partner": changed(TABLE, "partner", "_row = 2", "'QQ'"),
        "reporter, partner and item": [
            changed(TABLE, column, "_row = 2", "null") for column in ("reporter", "item_code")
        ],
        "flow is": changed(TABLE, "flow", "_row = 2", "'E'"),
        "item, kinds": [
            changed(TABLE, "item_code", "_row = 2", "'SHX'"),
            changed(TABLE, "type_partner", "_row = 2", "'x'"),
            changed(TABLE, "methodology", "_row = 2", "'X1'"),
            changed(TABLE, "methodology", "_row = 2", "null"),
        ],
        "a stated value": changed(TABLE, "reported_value", "_row = 2", "'1,5'"),
        "a value is below": changed(TABLE, "balanced_value", "_row = 2", "'1e7'"),
        "one record": [f"select * from {TABLE} union all select * from {TABLE} where _row = 2"],
        "year is a year": [changed(TABLE, "year", "_row = 2", "'2026'")],
    },
)
CASES += cases(
    TABLE,
    {"a stated value": changed(TABLE, "final_value", "_row = 2", "'1e50'")},
    also=("a value is below",),
)
CASES += cases(
    STAGED,
    {
        "every record": (
            f"select * from {STAGED} where value_kind <> 'balanced' or reporter <> 'NA'"
        ),
    },
)
CASES += cases(
    CONFORMED,
    {
        "what one economy": cells(CONFORMED, "reporter_code = 'XKX'", value="value + 1"),
        "the countries together": cells(
            CONFORMED, "concept = 'BPM6_SH' and partner_code = 'XKX'", value="99"
        ),
    },
)


# The models


def facts(template: Scenario, release: str) -> list[tuple]:
    """Every observation of a release, without its file."""
    return template.warehouse.published(
        "select concept, reporter_code, partner_code, category_code, flow, period, value,"
        " obs_status, conf_status from core.fct_royalty_observations"
        f" where source = 'oecd_wto_batis' and release_date = '{release}' order by all"
    )


def test_both_mirrors_give_the_same_facts(template: Scenario) -> None:
    assert len(facts(template, "2025-12-01")) == 14  # 6 final, 6 balanced, 2 reported
    assert facts(template, "2025-12-01") == facts(template, "2025-12-02")


def test_namibia_and_kosovo_survive(template: Scenario) -> None:
    assert template.warehouse.published(
        "select reporter_code, partner_code, flow, value, obs_status"
        " from core.fct_royalty_observations where source = 'oecd_wto_batis'"
        " and release_date = '2025-12-01' and concept = 'BPM6_SH'"
        " and reporter_code in ('NAM', 'XKX') order by all"
    ) == [
        ("NAM", "WLD", "payments", 2.25, "E"),
        ("NAM", "WLD", "receipts", 1.5, "A"),
        ("NAM", "XKX", "receipts", 0.25, "E"),
        ("XKX", "NAM", "payments", 0.125, "E"),
        ("XKX", "WLD", "payments", 4, "A"),
    ]


def test_the_three_values_are_apart(template: Scenario) -> None:
    assert template.warehouse.published(
        "select concept, receipts from core.fct_royalty_flows where source = 'oecd_wto_batis'"
        " and reporter_code = 'NAM' and partner_code = 'WLD' order by concept"
    ) == [("BATIS_BALANCED", 1.75), ("BATIS_REPORTED", 1.5), ("BPM6_SH", 1.5)]


# The publisher's own rows


def test_the_excerpt_has_21_rows_20_of_them_of_intellectual_property(
    real: tuple[Path, LoadResult],
) -> None:
    database, loaded = real
    assert [(file.rows_read, file.rows_kept) for file in loaded.files] == [(21, 20)]
    with duckdb.connect(database, read_only=True) as con:
        assert con.execute(
            f"select reported_value, final_value, balanced_value from {TABLE} where year = '2024'"
        ).fetchall() == [("280.3032", "280.3032", "326.343187")]
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}


def test_the_real_rows_with_switzerland_pass_with_their_codes(tmp_path: Path) -> None:
    if not SWISS.is_file():
        pytest.skip("the publisher's files are not part of the repository")
    file = tmp_path / "landing" / "2025-12-02" / SWISS.name
    file.parent.mkdir(parents=True)
    file.write_bytes(SWISS.read_bytes())
    database, loaded = load(SOURCE, tmp_path, file)
    assert loaded.rows == {"oecd_wto_batis__observations": 8}
    assert failed_by(database, TABLE, f"select * from {TABLE}") == {}
    with duckdb.connect(database, read_only=True) as con:
        ((methodologies,),) = con.execute(
            f"select list(distinct methodology order by methodology) from {TABLE}"
        ).fetchall()
        assert methodologies == ["E8.2", "M2.2", "M8.3", "R_EU_ITS", "R_NAT", "W0"]
        assert con.execute(f"select final_value from {TABLE} where partner = 'ROW'").fetchall() == [
            ("140.642534",)
        ]
