"""How far long work is: a bar on a terminal, a line every few seconds elsewhere.

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
    """Work that is under way, of which `done` of `total` units are done.

    total: 0 while it is not known. poll: gives the share that is done, where the work cannot.
    """

    what: str
    unit: str
    total: float = 0
    done: float = 0
    poll: Callable[[], float] | None = None
    began: float = field(default_factory=time.monotonic)

    def advance(self, done: float = 1) -> None:
        """Note that more is done."""
        self.done += done

    def reach(self, share: float) -> None:
        """Note which share of the total is done."""
        self.done = max(self.done, share * self.total)

    def track(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items; one is done when the next is asked for."""
        for item in items:
            yield item
            self.advance()

    def form(self, known: str) -> str:
        """Return the form for what is known, or that for nothing but the time."""
        return known if self.done and self.total else _NOT_KNOWN

    def text(self) -> str:
        """Return a line that says how far it is, with a rate and an estimate."""
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
        return " ".join(text.split())  # it pads rates, as a bar needs


@dataclass(frozen=True)
class ProgressReport:
    """Where progress is reported: what is called with each line, and whether a bar is drawn.

    say: called from a thread of its own, every `interval` seconds. None: nothing is reported.
    """

    say: Callable[[str], object] | None = None
    bar: bool = False
    interval: float = INTERVAL_SECONDS

    @contextmanager
    def follow(self, what: str, unit: str, total: float = 0) -> Iterator[Progress]:
        """Report on the block, which notes in the progress what is done.

        unit: `B` for bytes, else a blank and a plural.
        """
        progress, ended = Progress(what, unit, total), threading.Event()
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
        """Say how far it is until it has ended. What cannot be said must not stop the work."""
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
        """Draw a bar on the terminal, which goes when the work has ended."""
        if not self.bar:
            yield None
            return
        from tqdm import tqdm

        with tqdm(
            desc=progress.what,
            unit=progress.unit,
            unit_scale=progress.unit == "B",
            delay=self.interval,  # else it draws one before it knows anything
            file=sys.stdout,
            dynamic_ncols=True,
            leave=False,
        ) as bar:
            bar.start_t -= self.interval  # when the work began
            yield bar


SILENT = ProgressReport()
