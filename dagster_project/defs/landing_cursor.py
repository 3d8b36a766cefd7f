"""The state that the sensor `landing` keeps between evaluations."""

import json
from dataclasses import asdict, dataclass, field


@dataclass
class Cursor:
    """Releases are named `<source>/<date>`; states are those of `release_state`.

    arriving: by release that is not complete yet, its state, and when that was first seen (POSIX
        time).
    requested: by release, the key of the run requested for it, and its state then.
    reported: unusable files and releases that were reported, with their state.
    build: the fingerprint for which a build was last requested.
    round: how often runs were requested; keeps run keys unique.
    """

    arriving: dict[str, tuple[str, float]] = field(default_factory=dict)
    requested: dict[str, tuple[str, str]] = field(default_factory=dict)
    reported: dict[str, str] = field(default_factory=dict)
    build: str = ""
    round: int = 0

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """Parse a cursor; a missing one, or one of another version, gives an empty one."""
        try:
            cursor = cls(**json.loads(text or "{}"))
            cursor.requested = {name: (key, at) for name, (key, at) in cursor.requested.items()}
            cursor.arriving = {name: (at, float(t)) for name, (at, t) in cursor.arriving.items()}
        except (ValueError, TypeError):
            return cls()
        return cursor

    def text(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))
