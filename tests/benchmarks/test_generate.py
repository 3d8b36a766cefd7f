from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from benchmarks.generate import create_records, write
from benchmarks.totals import KINDS, Totals, totals
from dagster_project.sources.oecd_wto_batis import SOURCE

ROWS = 256_789  # all reporters with the world, some pairs of countries, and a part of one more pair
SOME_OF_ALL = 1_500_000  # some of the pairs of all kinds
HEADERS = {"reported": "Reported_value", "final": "Final_value", "balanced": "Balanced_value"}


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bulk") / "bulk.csv"
    write(path, ROWS)
    return path


@pytest.fixture(scope="module")
def expected() -> Totals:
    return totals(ROWS)


def test_the_file_adds_up_to_the_totals_worked_out_without_it(bulk: Path, expected: Totals) -> None:
    with duckdb.connect() as con:
        con.execute(f"create view rows as from read_csv('{bulk}', all_varchar = true)")
        for kind, header in HEADERS.items():
            counted = f"select count({header}), sum({header}::decimal(24, 6)) from rows"
            assert con.execute(counted).fetchall() == [expected.of_all[kind]]
            for number, flow in enumerate(("EXP", "IMP")):
                found = con.execute(
                    f"{counted} where Item_code = 'SH' and Flow = ?", [flow]
                ).fetchall()
                assert found == [expected.of_item[kind, number]]
        kept = con.execute("select count(*) from rows where Item_code = 'SH'").fetchall()
    assert kept == [(expected.rows_kept,)]
    assert set(expected.of_all) == set(KINDS)


@pytest.mark.parametrize("vintage", [0, 1])
def test_the_totals_hold_for_what_groups_report(vintage: int) -> None:
    """With more rows, groups report on countries and on each other."""
    with duckdb.connect() as con:
        create_records(con, SOME_OF_ALL, vintage)
        for kind, found in totals(SOME_OF_ALL, vintage).of_all.items():
            ((count, total),) = con.execute(
                f"select count({kind}), sum({kind}::decimal(38, 0)) from records"
            ).fetchall()
            assert (count, total / 10**6) == found


def test_the_cardinalities_and_the_missing_values_are_the_real_ones(bulk: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"create view rows as from read_csv('{bulk}', all_varchar = true)")
        found = con.execute(
            "select count(*), count(distinct Reporter), count(distinct Item_code),"
            " count(distinct Year), count(distinct Flow),"
            " count(distinct (Reporter, Partner, Flow, Item_code, Year)),"
            " round(100 * avg((Reported_value is null)::int), 1) from rows"
        ).fetchall()
    assert found == [(ROWS, 204, 31, 20, 2, ROWS, 96.5)]


def test_a_second_vintage_has_the_same_rows_with_other_figures(tmp_path: Path) -> None:
    for vintage in (0, 1):
        write(tmp_path / f"{vintage}.csv", ROWS, vintage=vintage)
    with duckdb.connect() as con:
        first, second = (f"read_csv('{tmp_path}/{n}.csv', all_varchar = true)" for n in (0, 1))
        found = con.execute(
            "select count(*), count(*) filter (one.Balanced_value <> other.Balanced_value)"
            f" / count(*) from {first} as one join {second} as other"
            " using (Reporter, Partner, Flow, Item_code, Year) where one.Balanced_value <> '0'"
        ).fetchall()
        positive = con.execute(f"select count(*) from {first} where Balanced_value <> '0'")
        assert found[0][0] == positive.fetchall()[0][0]
        assert found[0][1] > 0.999


def test_the_world_is_the_sum_of_the_countries_and_the_rest_of_the_world(tmp_path: Path) -> None:
    """As in the publisher's file, and as the gate on mart_coverage requires."""
    bulk = tmp_path / "bulk.csv"
    write(bulk, SOME_OF_ALL)
    with duckdb.connect() as con:
        ((differing, with_rest),) = con.execute(
            f"""
            select count(*) filter (world <> countries + rest), count(*)
            from (
                select
                    sum(Final_value) filter (Partner = 'WLD') as world,
                    sum(Final_value) filter (Partner = 'ROW') as rest,
                    coalesce(sum(Final_value) filter (type_Partner = 'c' and Partner <> 'ROW'), 0)
                    as countries
                from read_csv('{bulk}', types = {{'Final_value': 'DECIMAL(24, 6)'}})
                group by Reporter, Flow, Item_code, Year
            )
            where rest > 0
            """
        ).fetchall()
    assert differing == 0
    assert with_rest > 0


@pytest.mark.parametrize("rows", [500_000, 800_000, SOME_OF_ALL])
def test_a_reporter_states_a_group_only_beside_one_of_its_members(rows: int) -> None:
    """A group's figure stands for its members until one has its own: alone it could be more than is
    left of the total, which the gate on mart_coverage rejects."""
    with duckdb.connect() as con:
        create_records(con, rows)
        reporters = con.execute(
            """
            select
                count(*) filter (groups > 0),
                count(*) filter (groups > 0 and members = 0)
            from (
                select
                    reporter, flow, item, year,
                    count(*) filter (iso3 in ('EU27', 'EMU')) as groups,
                    count(*) filter (iso3 in ('DEU', 'FRA', 'ITA', 'NLD', 'ESP', 'IRL')) as members
                from records join economies on partner = number
                group by all
            )
            """
        ).fetchall()
    stated, alone = reporters[0]
    assert alone == 0
    assert stated > 0 or rows < 800_000


def test_balanced_exports_are_the_balanced_imports_of_the_partner_also_between_groups(
    tmp_path: Path,
) -> None:
    """As in the publisher's file, and as the gate on int_oecd_wto_batis__observations requires."""
    bulk = tmp_path / "bulk.csv"
    write(bulk, SOME_OF_ALL)
    with duckdb.connect() as con:
        con.execute(f"create view rows as from read_csv('{bulk}', all_varchar = true)")
        found = con.execute(
            """
            select
                exports.type_Reporter || exports.type_Partner as kinds,
                count(*) > 0,
                count(*) filter (exports.Balanced_value <> imports.Balanced_value)
            from rows as exports
            join rows as imports
                on exports.Reporter = imports.Partner and exports.Partner = imports.Reporter
                and exports.Item_code = imports.Item_code and exports.Year = imports.Year
            where exports.Flow = 'EXP' and imports.Flow = 'IMP'
            group by all order by all
            """
        ).fetchall()
    assert found == [(kinds, True, 0) for kinds in ("cc", "cg", "gc", "gg")]


def test_the_same_rows_give_the_same_bytes_and_the_mirrors_the_same_numbers(
    bulk: Path, tmp_path: Path
) -> None:
    again, wto = tmp_path / "again.csv", tmp_path / "wto.csv"
    write(again, ROWS)
    assert again.read_bytes() == bulk.read_bytes()
    write(wto, ROWS, "WTO")
    layouts = SOURCE.layouts[:2]
    assert [layout.mismatch(path) for layout, path in zip(layouts, (wto, bulk), strict=True)] == [
        None,
        None,
    ]
    with duckdb.connect() as con:
        sums = [
            con.execute(
                f"select count(*), sum(Balanced_value::decimal(24, 6)) from"
                f" read_csv('{path}', all_varchar = true)"
            ).fetchall()
            for path in (bulk, wto)
        ]
        assert sums[0] == sums[1]
        assert isinstance(sums[0][0][1], Decimal)
        codes = con.execute(
            "select list(distinct Reporter) || list(distinct Partner)"
            f" from read_csv('{wto}', all_varchar = true)"
        ).fetchall()
    assert {"NA", "888", "WL"} <= set(codes[0][0])
