"""The charts of marts, drawn in a child process: the renderer aborts on texts that it cannot write.

All charts of a run are drawn by one child. If one chart ends it, a new child draws the others.
"""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from dagster_project.base.child import (
    ChildDied,
    ChildLimits,
    ChildNotStarted,
    Report,
    run_in_child,
)

_LIMITS = ChildLimits(memory=4 << 30, seconds=120)


def draw_charts(database: Path, marts: Iterable[str]) -> dict[str, tuple[str, bool]]:
    """Draw the charts of the marts that have one: Markdown, or a problem, and whether it is drawn.

    Never raises an Exception: a picture must not prevent publication.
    """
    left, charts = set(marts), dict[str, tuple[str, bool]]()
    begun: list[str] = []

    def hear(found: dict[str, Any]) -> None:
        match found:
            case {"begun": mart}:
                begun.append(mart)
            case {"shown": shown, "is_drawn": is_drawn}:
                charts[begun[-1]] = shown, is_drawn

    while left:
        try:
            with TemporaryDirectory(prefix="royalty_charts_") as folder:
                run_in_child(
                    _draw,
                    (str(database), sorted(left)),
                    folder=Path(folder),
                    limits=_LIMITS,
                    report=hear,
                )
            break
        except (ChildDied, ChildNotStarted, OSError) as error:
            problem = f"could not be drawn: the process that draws it ended: {error}"
            stopped = begun[-1:] if begun and begun[-1] not in charts else sorted(left)
            charts |= dict.fromkeys(stopped, (problem, False))
            left -= charts.keys()
    return charts


def _draw(request: tuple[str, list[str]], report: Report) -> None:
    """The child's side: draw one chart after the other, and report each."""
    from dagster_project.report.charts.marts import CHARTS
    from dagster_project.report.charts.picture import markdown

    database, marts = request
    with duckdb.connect(database, read_only=True) as con:
        for mart in (mart for mart in marts if mart in CHARTS):
            report({"begun": mart})
            try:
                chart = CHARTS[mart](con)
                shown = markdown(chart) if chart else "nothing to draw: no series has a breakdown"
                report({"shown": shown, "is_drawn": True})
            except Exception as error:
                problem = f"could not be drawn: {type(error).__name__}: {error}"
                report({"shown": problem, "is_drawn": False})
