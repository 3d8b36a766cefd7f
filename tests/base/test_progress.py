import threading
from collections.abc import Iterator

import pytest

from dagster_project.base.progress import SILENT, Progress, ProgressReport

SOON = 0.001  # seconds: no test waits for five of them


class Lines(list[str]):
    """Progress lines; each sets `said`."""

    def __init__(self) -> None:
        super().__init__()
        self.said = threading.Event()

    def __call__(self, line: str) -> None:
        self.append(line)
        self.said.set()

    def wait(self) -> None:
        """Wait for a line that begins after this call: the second from now."""
        for _ in range(2):
            self.said.clear()
            assert self.said.wait(10)


@pytest.fixture
def lines() -> Iterator[Lines]:
    yield Lines()
    assert not running(), "a thread has survived the work"


def running() -> bool:
    return any(thread.name == "progress" for thread in threading.enumerate())


def test_a_line_says_how_far_with_a_rate_and_an_estimate(lines: Lines) -> None:
    with ProgressReport(lines, interval=SOON).follow("made_up 2020", "B", 2_000_000) as progress:
        progress.began -= 10
        progress.reach(0.25)
        lines.wait()
    assert lines[-1].startswith("made_up 2020: 25 %: 500k of 2.00MB, ")
    assert lines[-1].endswith("kB/s, 00:30 left")


def test_items_are_counted_by_their_word(lines: Lines) -> None:
    report = ProgressReport(lines, interval=SOON)
    with report.follow("gate of core", " tables", 3) as progress:
        progress.began -= 10
        items = progress.track("abc")
        assert [next(items), next(items)] == ["a", "b"]
        lines.wait()
        assert [*items] == ["c"]
    assert progress.done == 3
    assert lines[-1].startswith("gate of core: 33 %: 1 of 3 tables, 0.")
    assert " tables/s, " in lines[-1]


def test_an_unknown_total_is_not_guessed(lines: Lines) -> None:
    with ProgressReport(lines, interval=SOON).follow("made_up", "B", 100):
        lines.wait()
    assert lines[-1] == "made_up: 00:00 so far"


def test_the_progress_can_be_queried_and_never_decreases() -> None:
    progress = Progress("made_up", "B", 100, poll=iter([0.4, -0.01, 0.2]).__next__)
    for _ in range(3):
        assert progress.text().startswith("made_up: 40 %: 40.0 of 100B, ")


def test_work_that_ends_within_the_interval_reports_nothing(lines: Lines) -> None:
    with ProgressReport(lines, interval=3600).follow("made_up", "B", 100) as progress:
        progress.reach(1)
    assert lines == []


def test_a_progress_line_that_cannot_be_written_does_not_stop_the_work() -> None:
    called = threading.Event()

    def say(_: str) -> None:
        called.set()
        raise OSError("disk full")

    with ProgressReport(say, interval=SOON).follow("made_up", "B", 100) as progress:
        assert called.wait(10)
        called.clear()
        assert called.wait(10)
        progress.reach(1)


def test_a_bar_is_drawn_on_a_terminal_and_cleared_at_the_end(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProgressReport(lines, bar=True, interval=SOON).follow("made_up", "B", 100) as progress:
        progress.reach(0.5)
        lines.wait()
    drawn = capsys.readouterr().out
    assert "made_up: 50 %|" in drawn
    assert "50.0 of 100" in drawn
    assert not drawn.split("\r")[-1].strip(), "the bar was left on the terminal"


def test_without_a_report_nothing_runs() -> None:
    with SILENT.follow("made_up", "B", 100) as progress:
        progress.reach(0.5)
        assert not running()
    assert progress.done == 50
