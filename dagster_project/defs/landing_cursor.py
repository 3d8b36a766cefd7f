"""The state that the sensor `landing` keeps between evaluations."""

import json
from dataclasses import asdict, dataclass, field, fields


@dataclass
class Cursor:
    """Releases are named `<source>/<date>`; states are those of `release_state`.

    arriving: by release that is not complete yet, its state, and when that was first seen (POSIX
        time).
    requested: by release, the key of the run requested for it, and its state then.
    seen: releases in `requested` whose run Dagster has had.
    reported: unusable files and releases that were reported, with their state.
    build: the fingerprint for which a build was last requested.
    round: how often runs were requested. Part of each run key, so that no request repeats one; a
        cursor that was reset repeats the rounds, so keys also name the run before.
    """

    arriving: dict[str, tuple[str, float]] = field(default_factory=dict)
    requested: dict[str, tuple[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    reported: dict[str, str] = field(default_factory=dict)
    build: str = ""
    round: int = 0

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """Parse a cursor. Members of another version are ignored; an unreadable cursor is empty."""
        try:
            members = json.loads(text or "{}")
            cursor = cls(**{name: members[name] for name in members if name in _members(cls)})
            cursor.requested = {name: (key, at) for name, (key, at) in cursor.requested.items()}
            cursor.arriving = {name: (at, float(t)) for name, (at, t) in cursor.arriving.items()}
        except (AttributeError, ValueError, TypeError):
            return cls()
        return cursor

    def text(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))


def _members(cursor: type[Cursor]) -> set[str]:
    return {member.name for member in fields(cursor)}
