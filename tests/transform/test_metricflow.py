"""The semantic layer on a published file: metrics against plain SQL, and refused sums."""

from typing import Any

import pytest

from dagster_project.base.errors import BadInput
from tests.support import Scenario

pytest.importorskip("metricflow", reason="the dependency group `semantic` is not installed")

from dagster_project.transform.metricflow import engine, metric_sql

RANKING = (
    "from marts.mart_world_ranking join core.dim_reporter using (reporter_code)"
    " where source = 'worldbank_wdi' and concept = 'BPM6_SH' and frequency = 'A'"
)
LATEST = f"and period = (select max(period) {RANKING})"
JAPAN = "{{ Dimension('reporter__reporter_name') }} = 'Japan'"
UNTIL_2013 = "{{ TimeDimension('metric_time', 'year') }} <= '2013-01-01'"
# Values that a group must not mix, by the end of the dimension's name.
KEPT_APART = {
    "source": "worldbank_wdi",
    "concept": "BPM6_SH",
    "frequency": "A",
    "partner_code": "WLD",
    "kind": "country",
}


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
            "select receipts_growth_pct, payments_growth_pct from marts.mart_balance_by_partner"
            " where reporter_code = 'JPN' and partner_code = 'WLD' and source = 'worldbank_wdi'"
            " and period = '2013'",
        ),
        (
            {"metrics": ["receipts_growth"]},
            "select 100 * (sum(now.receipts_usd_m)::double / sum(before.receipts_usd_m) - 1)"
            " from marts.mart_world_ranking as now join marts.mart_world_ranking as before"
            " using (reporter_code, source, concept, frequency)"
            " where source = 'worldbank_wdi' and before.receipts_usd_m > 0 and now.period = '2020'"
            " and before.period = '2019' and now.receipts_usd_m > 0",
        ),
    ],
)
def test_a_metric_equals_the_result_of_plain_sql(
    real: Scenario, question: dict[str, Any], sql: str
) -> None:
    found = answer(real, *question.pop("metrics"), **question)
    assert same(found, real.warehouse.published(sql))


def test_no_group_of_any_metric_mixes_figures_that_must_not_be_summed(real: Scenario) -> None:
    seen = set()
    for metric in engine().list_metrics():
        for dimension in metric.dimensions:
            value = KEPT_APART.get(dimension.dunder_name.split("__")[-1])
            if value is not None:
                groups = answer(real, metric.name, by=[dimension.dunder_name])
                # Only the one, with the figure of no grouping at all.
                assert groups == [(value, *answer(real, metric.name)[0])]
                seen.add(dimension.dunder_name.split("__")[-1])
    assert seen == set(KEPT_APART)


@pytest.mark.parametrize(
    "condition",
    [
        "{{ Dimension('standing__source') }} = 'ons_pink_book'",
        "{{ Dimension('standing__concept') }} <> 'BPM6_SH'",
        "{{ Dimension('reporter__kind') }} = 'aggregate'",
    ],
)
def test_a_condition_does_not_lift_the_restrictions_of_a_metric(
    real: Scenario, condition: str
) -> None:
    assert answer(real, "receipts", where=[condition]) == [(None,)]
    anything = f"{condition} or 1 = 1"
    assert answer(real, "receipts", where=[anything]) == answer(real, "receipts")


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
