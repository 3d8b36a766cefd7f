"""The table of a corpus: how many cases ended how."""

from collections import Counter
from collections.abc import Sequence

from tests.corpus.bench import ACCEPTED, CRASHED, REFUSED, UNDETECTABLE, WRONG, Verdict

_OUTCOMES = (ACCEPTED, REFUSED, UNDETECTABLE, WRONG, CRASHED)


def table(verdicts: Sequence[Verdict]) -> str:
    """Return how the cases ended, by kind of file, and why some cannot be noticed."""
    lines = ["kind   | tried | " + " | ".join(_OUTCOMES)]
    kinds = sorted({verdict.origin.file.suffix for verdict in verdicts})
    for kind in (*kinds, "all"):
        of_kind = [one for one in verdicts if kind in (one.origin.file.suffix, "all")]
        counts = Counter(verdict.outcome for verdict in of_kind)
        cells = " | ".join(f"{counts[name]:>{len(name)},}" for name in _OUTCOMES)
        lines.append(f"{kind:<6} | {len(of_kind):>5,} | {cells}")
    reasons = Counter(
        (verdict.mutation.name, verdict.mutation.why)
        for verdict in verdicts
        if verdict.outcome == UNDETECTABLE
    )
    lines += ["", "undetectable:"] if reasons else []
    lines += [f"{count:>5,} {name}: {why}" for (name, why), count in sorted(reasons.items())]
    return "\n".join(lines)


def failures(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the cases that crashed or gave wrong numbers."""
    return [str(verdict) for verdict in verdicts if verdict.outcome in (WRONG, CRASHED)]
