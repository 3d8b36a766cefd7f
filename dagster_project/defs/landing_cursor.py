"""What the sensor `landing` remembers from one evaluation to the next: as much as is under way."""

import json
from dataclasses import asdict, dataclass, field


@dataclass
class Cursor:
    """Releases go by their names (`<source>/<date>`), states are those of `release_state`.

    arriving: releases that were not there, or not in this state, at the evaluation before.
    requested: releases with the key of the run that was requested for them, and their state then.
    reported: what cannot be used and has been said, with its state.
    build: the fingerprint that a build was requested for last.
    round: how often runs were requested; it makes the keys of later runs differ.
    """

    arriving: dict[str, str] = field(default_factory=dict)
    requested: dict[str, tuple[str, str]] = field(default_factory=dict)
    reported: dict[str, str] = field(default_factory=dict)
    build: str = ""
    round: int = 0

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """Read it; one that is missing or that another version wrote is as good as none."""
        try:
            cursor = cls(**json.loads(text or "{}"))
        except (ValueError, TypeError):
            return cls()
        cursor.requested = {name: (key, state) for name, (key, state) in cursor.requested.items()}
        return cursor

    def text(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))
