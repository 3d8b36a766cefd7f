"""A chart that ends its renderer costs that chart."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dagster_project.defs.asset_metadata import chart_metadata
from dagster_project.report.charts import drawing


def _charts(monkeypatch: pytest.MonkeyPatch, work: Any) -> None:
    monkeypatch.setattr(drawing, "_draw", work)


def _draw_with_renderer(request: tuple[str, list[str]], report: Any) -> None:
    """Draw, for each mart, a chart with its name in it, by the real renderer."""
    from dagster_project.report.charts.picture import both_sides, markdown

    for mart in request[1]:
        report({"begun": mart})
        rows = [{"member": mart, "receipts_usd_m": 1.0, "payments_usd_m": 2.0}]
        report({"shown": markdown(both_sides(rows, title="made up")), "is_drawn": True})


def _hang(request: tuple[str, list[str]], report: Any) -> None:
    report({"begun": request[1][0]})
    while True:
        pass


def _fail_at_once(*_: object) -> None:
    raise SystemExit(7)


@pytest.mark.parametrize("letter", ["\x1b", "\x07", "\ufffe"])
def test_a_text_that_aborts_the_renderer_costs_its_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, letter: str
) -> None:
    _charts(monkeypatch, _draw_with_renderer)
    deadly = f"b{letter}"
    charts = drawing.draw_charts(tmp_path / "none.duckdb", ["a", deadly, "c"])
    assert [is_drawn for _, is_drawn in (charts["a"], charts[deadly], charts["c"])] == [
        True,
        False,
        True,
    ]
    assert "signal SIGABRT" in charts[deadly][0]
    assert charts["c"][0].startswith("![made up](data:image/png;base64,")


def test_a_chart_that_never_ends_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _charts(monkeypatch, _hang)
    monkeypatch.setattr(drawing, "_LIMITS", drawing.ChildLimits(memory=1 << 30, seconds=2))
    charts = drawing.draw_charts(tmp_path / "none.duckdb", ["a"])
    assert "no end after 2 seconds" in charts["a"][0]


def test_a_renderer_that_does_not_start_costs_the_charts_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _charts(monkeypatch, _fail_at_once)
    built: list[Any] = [
        SimpleNamespace(node=SimpleNamespace(name=name), status="success") for name in ("a", "b")
    ]
    context: Any = SimpleNamespace(log=logging.getLogger("charts"))
    charts = chart_metadata(context, tmp_path / "none.duckdb", built)
    assert charts.keys() == {"a", "b"}
    assert "the chart of a could not be drawn" in caplog.text


def test_all_charts_are_drawn_by_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    run = drawing.run_in_child

    def counted(*arguments: Any, **named: Any) -> None:
        begun.append(arguments)
        run(*arguments, **named)

    monkeypatch.setattr(drawing, "run_in_child", counted)
    _charts(monkeypatch, _draw_with_renderer)
    charts = drawing.draw_charts(tmp_path / "none.duckdb", ["a", "b", "c"])
    assert all(is_drawn for _, is_drawn in charts.values())
    assert len(begun) == 1
