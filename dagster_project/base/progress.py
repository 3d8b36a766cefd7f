"""Progress of long work: a bar on a terminal, a line every few seconds elsewhere.

Work that ends within the interval reports nothing.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from dagster_project.base.errors import printable

if TYPE_CHECKING:
    from tqdm import tqdm

T = TypeVar("T")

INTERVAL_SECONDS = 5.0
_REDRAW_SECONDS = 0.5  # of the bar

_BAR = (
    "{desc}: {percentage:.0f} %|{bar}| {n_fmt} of {total_fmt}{unit}, {rate_noinv_fmt},"
    " {remaining} left"
)
_LINE = _BAR.replace("|{bar}|", ":")
_NOT_KNOWN = "{desc}: {elapsed} so far"


@dataclass
class Progress:
    """Work in progress: `done` of `total` units.

    total: 0 while it is unknown. poll: returns the share done, where the work cannot report it.
    """

    what: str
    unit: str
    total: float = 0
    done: float = 0
    poll: Callable[[], float] | None = None
    began: float = field(default_factory=time.monotonic)

    def advance(self, done: float = 1) -> None:
        """Add to the units done."""
        self.done += done

    def reach(self, share: float) -> None:
        """Set the share of the total that is done."""
        self.done = max(self.done, share * self.total)

    def track(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items; each counts as done when the next is requested."""
        for item in items:
            yield item
            self.advance()

    def form(self, known: str) -> str:
        """Return the format `known` if a total is known, else one with the elapsed time only."""
        return known if self.done and self.total else _NOT_KNOWN

    def text(self) -> str:
        """Return a line with the progress, the rate and the remaining time."""
        from tqdm import tqdm

        if self.poll:
            self.reach(self.poll())
        text = tqdm.format_meter(
            self.done,
            self.total,
            time.monotonic() - self.began,
            prefix=self.what,
            unit=self.unit,
            unit_scale=self.unit == "B",
            bar_format=self.form(_LINE),
        )
        return " ".join(text.split())  # tqdm pads rates


@dataclass(frozen=True)
class ProgressReport:
    """Where progress is reported: a function for each line, and whether a bar is drawn.

    say: called every `interval` seconds from a separate thread; None reports nothing.
    """

    say: Callable[[str], object] | None = None
    bar: bool = False
    interval: float = INTERVAL_SECONDS

    @contextmanager
    def follow(self, what: str, unit: str, total: float = 0) -> Iterator[Progress]:
        """Report on the block, which updates the yielded progress.

        unit: `B` for bytes, otherwise a space and a plural noun.
        """
        progress, ended = Progress(printable(what), unit, total), threading.Event()
        if self.say is None:
            yield progress
            return
        ticker = threading.Thread(
            target=self._report, args=(progress, ended), name="progress", daemon=True
        )
        ticker.start()
        try:
            yield progress
        finally:
            ended.set()
            ticker.join()

    def _report(self, progress: Progress, ended: threading.Event) -> None:
        """Report until the work ends. A failure to report must not stop the work."""
        assert self.say is not None
        if ended.wait(self.interval):
            return
        with self._bar(progress) as bar:
            pause = min(self.interval, _REDRAW_SECONDS) if bar is not None else self.interval
            for redrawn in count():
                with suppress(Exception):
                    if redrawn % max(1, round(self.interval / pause)) == 0:
                        self.say(progress.text())
                    if bar is not None:
                        bar.n, bar.total = progress.done, progress.total
                        bar.bar_format = progress.form(_BAR)
                        bar.refresh()
                if ended.wait(pause):
                    return

    @contextmanager
    def _bar(self, progress: Progress) -> "Iterator[tqdm | None]":
        """Draw a bar on the terminal, and remove it when the work ends."""
        if not self.bar:
            yield None
            return
        from tqdm import tqdm

        with tqdm(
            desc=progress.what,
            unit=progress.unit,
            unit_scale=progress.unit == "B",
            delay=self.interval,  # otherwise it draws an empty bar first
            file=sys.stdout,
            dynamic_ncols=True,
            leave=False,
        ) as bar:
            bar.start_t -= self.interval  # when the work began
            yield bar


SILENT = ProgressReport()
