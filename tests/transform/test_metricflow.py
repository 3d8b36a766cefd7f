"""The semantic layer on a published file: metrics against plain SQL, and refused sums."""

from typing import Any

import pytest

from dagster_project.base.errors import BadInput
from tests.support import Scenario

pytest.importorskip("metricflow", reason="the dependency group `semantic` is not installed")

from dagster_project.transform.metricflow import engine, metric_sql

# Years of fewer countries have no rank by balance.
RANKING = (
    "from marts.flows_by_country join core.dim_reporter using (reporter_code)"
    " where year in (select year from marts.flows_by_country where balance_ranked_among > 0)"
)
LATEST = f"and period = (select max(period) {RANKING})"
JAPAN = "{{ Dimension('reporter__reporter_name') }} = 'Japan'"
UNTIL_2013 = "{{ TimeDimension('metric_time', 'year') }} <= '2013-01-01'"
ADDITIVE = ("receipts", "payments", "balance", "countries", "share_of_receipts")


def answer(real: Scenario, *metrics: str, **question: Any) -> list[tuple[Any, ...]]:
    return real.warehouse.published(metric_sql(metrics, **question))


def same(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> bool:
    assert len(found) == len(expected) > 0
    return all(
        left == (pytest.approx(float(right), rel=1e-4) if isinstance(left, float) else right)
        for pair in zip(found, expected, strict=True)
        for left, right in zip(*pair, strict=True)
    )


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        (
            {"metrics": ["receipts", "payments", "balance"]},
            "select sum(receipts_usd_m), sum(payments_usd_m), sum(balance_usd_m)"
            f" {RANKING} {LATEST}",
        ),
        (
            {
                "metrics": ["receipts", "payments", "balance"],
                "by": ["metric_time__year"],
                "where": [JAPAN],  # in the order of the years, without a word
            },
            "select strptime(period, '%Y'), receipts_usd_m, payments_usd_m, balance_usd_m"
            f" {RANKING} and reporter_code = 'JPN' order by period",
        ),
        (
            {
                "metrics": ["receipts"],
                "by": ["reporter__world_bank_region"],
                "where": [UNTIL_2013],  # of several years, the last
                "order": ["reporter__world_bank_region"],
            },
            f"select world_bank_region, sum(receipts_usd_m) {RANKING} and period = '2013'"
            " group by world_bank_region order by world_bank_region",
        ),
        (
            {"metrics": ["coverage_ratio"]},
            "select sum(receipts_usd_m)::double / sum(payments_usd_m) * 100"
            f" {RANKING} {LATEST} and receipts_usd_m is not null and payments_usd_m is not null",
        ),
        (
            {"metrics": ["share_of_receipts", "share_of_payments"], "where": [JAPAN]},
            "select sum(case reporter_code when 'JPN' then receipts_usd_m end)::double"
            " / sum(receipts_usd_m) * 100,"
            " sum(case reporter_code when 'JPN' then payments_usd_m end)::double"
            f" / sum(payments_usd_m) * 100 {RANKING} {LATEST}",
        ),
        (
            {
                "metrics": ["receipts_growth", "payments_growth"],
                "where": [JAPAN, UNTIL_2013],
            },
            "select receipts_growth_pct, payments_growth_pct from marts.flows_by_country"
            " where reporter_code = 'JPN' and year = 2013",
        ),
        (
            {"metrics": ["receipts_growth"]},
            # Both years as core has them, from one source.
            "select 100 * (sum(now.receipts_usd_m)::double / sum(before.receipts_usd_m) - 1)"
            " from marts.flows_by_country as now join core.fct_royalty_flows as before"
            " using (reporter_code, source, release_date, currency)"
            " where concept = 'BPM6_SH' and partner_code = 'WLD' and sector_code = '_T'"
            " and category_code = '_T' and affiliation_code = '_T' and region_code = '_T'"
            " and before.receipts_usd_m > 0 and now.year = 2020"
            " and before.period = '2019' and now.receipts_usd_m > 0",
        ),
    ],
)
def test_a_metric_equals_the_result_of_plain_sql(
    real: Scenario, question: dict[str, Any], sql: str
) -> None:
    found = answer(real, *question.pop("metrics"), **question)
    assert same(found, real.warehouse.published(sql))


def test_the_groups_of_a_metric_add_up_to_the_metric_without_groups(real: Scenario) -> None:
    """So no group mixes sources or holds a total beside its parts: the table has one row each."""
    seen = set()
    for metric in engine().list_metrics():
        for dimension in metric.dimensions:
            name = dimension.dunder_name
            is_year = dimension.dunder_name.startswith(("metric_time", "standing__year_start"))
            if metric.name in ADDITIVE and not is_year:
                groups = [row[1] for row in answer(real, metric.name, by=[name])]
                ((whole,),) = answer(real, metric.name)
                total = sum(float(group) for group in groups if group is not None)
                assert total == pytest.approx(float(whole)), (metric.name, name)
                seen.add(name)
    assert {"reporter__kind", "reporter__reporter_name", "standing__source"} <= seen


def test_the_table_of_the_metrics_has_one_row_per_country_and_year(real: Scenario) -> None:
    assert real.warehouse.published(
        "select count(*) - count(distinct (reporter_code, year)),"
        " count(distinct reporter.kind), min(reporter.kind)"
        " from marts.flows_by_country join core.dim_reporter as reporter using (reporter_code)"
    ) == [(0, 1, "country")]


@pytest.mark.parametrize(
    "condition",
    [
        "not {{ Dimension('standing__has_world_ranking') }}",
        "{{ Dimension('reporter__kind') }} = 'aggregate'",
    ],
)
def test_a_condition_does_not_lift_the_restrictions_of_a_metric(
    real: Scenario, condition: str
) -> None:
    assert answer(real, "receipts", where=[condition]) == [(None,)]
    anything = f"{condition} or 1 = 1"
    assert answer(real, "receipts", where=[anything]) == answer(real, "receipts")


def test_preferred_national_sources_count(real: Scenario) -> None:
    """ONS of July 2021 has 19,098 million pounds, the Pink Book of October 2020 16,689."""
    found = answer(
        real,
        "receipts",
        by=["standing__source"],
        where=[
            "{{ Dimension('reporter__reporter_name') }} = 'United Kingdom'",
            "{{ TimeDimension('metric_time', 'year') }} = '2019-01-01'",
        ],
    )
    (row,) = real.warehouse.published(
        "select source, receipts_usd_m, receipts from marts.flows_by_country"
        " where reporter_code = 'GBR' and year = 2019"
    )
    assert found == [row[:2]]
    assert (row[0], row[2]) == ("ons_services_by_partner", 19098)


def test_a_year_of_few_countries_is_not_the_default(real: Scenario) -> None:
    ((latest, in_it),) = real.warehouse.published(
        "select max(year), arg_max(countries, year) from"
        " (select year, count(*) as countries from marts.flows_by_country group by year)"
    )
    assert in_it < 5  # from texts
    ((last, countries),) = answer(
        real, "countries", by=["metric_time__year"], order=["-metric_time__year"], limit=1
    )
    assert last.year < latest
    assert countries > 50
    assert answer(real, "countries") == [(countries,)]


def test_years_are_never_added_up(real: Scenario) -> None:
    by_year = dict(answer(real, "receipts", by=["metric_time__year"]))
    assert len(by_year) > 40
    assert answer(real, "receipts") == [(by_year[max(by_year)],)]


@pytest.mark.parametrize("by", ["metric_time__decade", "metric_time__day", "partner_code"])
def test_a_question_that_the_metrics_do_not_answer_is_refused(by: str) -> None:
    with pytest.raises(BadInput, match="a query that the metrics cannot answer"):
        metric_sql(["receipts"], by=[by])


def test_the_command_shows_the_answer(
    real: Scenario, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from dagster_project.__main__ import main

    for name, value in real.warehouse.environment.items():
        monkeypatch.setenv(name, value)
    question = ["--where", JAPAN, "--by", "metric_time__year", "--order=-metric_time__year"]
    assert main(["metrics", "receipts", *question, "--limit", "1"]) == 0
    assert "43038.454714" in capfd.readouterr().out
