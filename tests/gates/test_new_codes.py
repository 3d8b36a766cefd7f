"""Files full of codes that no map knows are accepted: every row is kept, and the gate warns."""

from pathlib import Path

import pytest

from dagster_project.pipeline.run import PUBLISHED
from tests.support import BARE, MADE_UP, Outcome, Scenario, Warehouse, built_once

BATIS = MADE_UP / "oecd_wto_batis" / "2025-12-01" / "made_up_wto_mirror.csv"
METHODOLOGIES = ("R_IMF", "R_NAT", "E1", "E3", "E5")


@pytest.fixture(scope="module")
def unseen(shared: Path) -> Scenario:
    """A release of new methodologies, one with two new partners, one of new economies."""

    def build(warehouse: Warehouse) -> Outcome:
        text = BATIS.read_text()
        header, *records = text.splitlines(keepends=True)
        for methodology in METHODOLOGIES:
            records = [record.replace(f",{methodology},", ",Z9.9,") for record in records]
        warehouse.land("oecd_wto_batis", "2025-12-01", BATIS.name, header + "".join(records))
        partners = text.replace("NA,c,888,", "NA,c,QY,") + "NA,c,QZ,c,X,SH,s,2023,,7,E3,8\n"
        warehouse.land("oecd_wto_batis", "2025-12-02", BATIS.name, partners)
        economies = BARE.read_text()
        for code in ("CHN", "EUU", "KSV", "JPN", "NAM", "USA", "WLD"):
            economies = economies.replace(f",{code},", f",Q{code[:2]},")
        warehouse.land("worldbank_wdi", "2016-03-01", BARE.name, economies)
        return warehouse.run()

    return built_once(shared / "unseen", build)


def warnings(scenario: Scenario, about: str) -> list[str]:
    return [
        line
        for line in scenario.outcome.output.splitlines()
        if "warning: " in line and about in line
    ]


def test_releases_with_new_codes_are_accepted_and_published(unseen: Scenario) -> None:
    assert unseen.outcome.code == PUBLISHED
    assert "REJECTED" not in unseen.outcome.output


@pytest.mark.parametrize(
    ("release", "codes"),
    [
        ("oecd_wto_batis__observations 2025-12-01", "1 code, with rows: methodology 'Z9.9' (6)"),
        (
            "oecd_wto_batis__observations 2025-12-02",
            "2 codes, with rows: partner 'QY' (1), partner 'QZ' (1)",
        ),
        ("worldbank_wdi__observations 2016-03-01", "7 codes, with rows: country_code 'QCH' (3), "),
    ],
)
def test_each_release_has_one_warning_that_shows_its_codes(
    unseen: Scenario, release: str, codes: str
) -> None:
    (warning,) = warnings(unseen, release)
    assert f"| found: {codes}" in warning
    assert "what to do: " in warning


def test_every_row_is_kept_and_shown_as_unmapped(unseen: Scenario) -> None:
    assert unseen.warehouse.published(
        "select source, release_date::varchar, reporter_code, partner_code, concept, value"
        " from core.fct_royalty_observations where '_U' in (reporter_code, partner_code)"
        " and value is not null and source = 'oecd_wto_batis' order by all"
    ) == [
        ("oecd_wto_batis", "2025-12-02", "NAM", "_U", "BATIS_BALANCED", 0.5),
        ("oecd_wto_batis", "2025-12-02", "NAM", "_U", "BATIS_BALANCED", 8),
        ("oecd_wto_batis", "2025-12-02", "NAM", "_U", "BPM6_SH", 0.25),
        ("oecd_wto_batis", "2025-12-02", "NAM", "_U", "BPM6_SH", 7),
    ]
    cells = BARE.read_text().splitlines()[1:]
    figures = sum(1 for line in cells for cell in line.rsplit(",", 3)[1:] if cell)
    assert unseen.warehouse.published(
        "select count(value), count(distinct row_number) from core.fct_royalty_observations"
        " where source = 'worldbank_wdi' and reporter_code = '_U'"
    ) == [(figures, len(cells))]


def test_an_unknown_methodology_is_an_estimate(unseen: Scenario) -> None:
    assert unseen.warehouse.published(
        "select distinct obs_status from core.fct_royalty_observations"
        " where source = 'oecd_wto_batis' and release_date = '2025-12-01' and concept = 'BPM6_SH'"
    ) == [("E",)]


def test_figures_of_unknown_codes_are_in_no_flow(unseen: Scenario) -> None:
    assert (
        unseen.warehouse.published(
            "select * from core.fct_royalty_flows where '_U' in (reporter_code, partner_code)"
        )
        == []
    )


def test_the_gate_of_the_models_counts_them_again(unseen: Scenario) -> None:
    ((details,),) = unseen.warehouse.published(
        "select details::json ->> '$[0].observed' from audit.gate_results"
        " where table_name = 'intermediate.int_oecd_wto_batis__observations' and failed > 0"
    )
    assert details == "1 code, with rows: partner_code '_U' (4)"
