"""What a series of killed runs has found, in all its sittings."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

CHECKED = (
    "after each kill: the published file opens, is one of those kept, and is one that an"
    " undisturbed run published; every table of every kept one has the checksum that its gate saw;"
    " `make status` works. After the run that ends: all published tables, raw tables, releases,"
    " gate results and the number of publications are those of an undisturbed run, which equals a"
    " build of everything"
)


@dataclass
class Tally:
    """Kills, comparisons and problems found, in all sittings of a series."""

    by_run: Counter[str] = field(default_factory=Counter)
    chosen: Counter[str] = field(default_factory=Counter)
    by_chance: Counter[str] = field(default_factory=Counter)
    results_compared: int = 0
    lost: list[str] = field(default_factory=list)
    unaudited: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    broken_runs: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    seconds: float = 0

    @property
    def problems(self) -> list[str]:
        """All problems."""
        return [*self.lost, *self.unaudited, *self.differing, *self.broken_runs]

    def count(self, run: str, moment: object, *, by_chance: bool) -> None:
        """Count a kill."""
        self.by_run[run] += 1
        (self.by_chance if by_chance else self.chosen)[str(moment)] += 1

    def summary(self, kills: int) -> dict[str, Any]:
        """The result of a series of so many kills."""
        problems = ("lost", "unaudited", "differing", "broken_runs")
        return {
            "complete": self.by_run.total() >= kills,
            "kills": self.by_run.total(),
            "at chosen points": self.chosen.total(),
            "by chance": self.by_chance.total(),
            "results compared": self.results_compared,
            **{name.replace("_", " "): len(getattr(self, name)) for name in problems},
            "checked": CHECKED,
            "duckdb": duckdb.__version__,
            "tally": dict(vars(self)),
        }

    @classmethod
    def of_series(cls, results: Path | None) -> "Tally":
        """The tally of a series that was interrupted, or a new one."""
        if not (results and results.exists()):
            return cls()
        found = json.loads(results.read_text())
        tally = cls(**found["tally"])
        for name in ("by_run", "chosen", "by_chance"):
            setattr(tally, name, Counter(getattr(tally, name)))
        unfinished = not (found["complete"] or tally.problems)
        return tally if unfinished and found["duckdb"] == duckdb.__version__ else cls()
