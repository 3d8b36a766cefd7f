"""The message about a failure: what failed, which release, why, and what stays live.

Does not import Dagster, so that a run with nothing new is quick.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

import duckdb

from dagster_project.base.errors import printable, printable_text
from dagster_project.base.settings import Settings
from dagster_project.publication.kept_files import publication_id

# Chat tools truncate or refuse longer messages; the run has the full text.
MOST_LETTERS = 3000


@dataclass(frozen=True)
class Alert:
    """One failure.

    what: REJECTED, REFUSED or FAILED, and the release or job. why: expected, found and what to do,
    one per line.
    """

    what: str
    why: str
    job: str | None = None
    source: str | None = None
    release: str | None = None
    run_id: str | None = None


@dataclass(frozen=True)
class Message:
    """One message, for a person (`subject`, `text`) and for a program (`fields`)."""

    subject: str
    text: str
    fields: dict[str, Any]


def message(settings: Settings, failures: Sequence[Alert]) -> Message:
    """Put failures into one message. There must be at least one."""
    published = publication_id(settings)
    alerts = [
        {
            **_printable(asdict(failure)),
            "in_force": _current(settings, published, failure.source),
            "link": failure.run_id and _link(settings, failure.run_id),
        }
        for failure in failures
    ]
    first = alerts[0]["what"]
    more = f" and {len(failures) - 1} more" if len(failures) > 1 else ""
    parts = [
        "\n".join(
            line
            for line in (
                failure["what"],
                _cut(failure["why"] or "", MOST_LETTERS // len(alerts)),
                f"live: {failure['in_force']}",
                failure["link"],
            )
            if line
        )
        for failure in alerts
    ]
    return Message(
        subject=" ".join(f"royalty flows: {first}{more}".split()),
        text="\n\n".join(parts),
        fields={"publication": published, "failures": alerts},
    )


def _printable(alert: dict[str, str | None]) -> dict[str, str | None]:
    return {
        name: text and (printable_text(text, "\n") if name == "why" else printable(text))
        for name, text in alert.items()
    }


def _link(settings: Settings, run_id: str) -> str:
    return f"{settings.ui_url.rstrip('/')}/runs/{quote(printable(run_id), safe='')}"


def _current(settings: Settings, published: str | None, source: str | None) -> str:
    """Describe the live data. Read from the published file, which no run can lock."""
    if not settings.warehouse.exists():
        return "nothing has been published yet"
    found = f"publication {published or 'unknown (not one of the kept files)'}"
    release: date | None = None
    if source:
        try:
            with duckdb.connect(settings.warehouse, read_only=True) as con:
                ((release,),) = con.execute(
                    "select max(release_date) from audit.releases"
                    " where source = ? and status = 'accepted'",
                    [printable(source)],
                ).fetchall()
        except duckdb.Error as error:
            return f"{found}, which cannot be read: {str(error).splitlines()[0]}"
        found = f"{printable(source)} {release or 'without any release'}, in {found}"
    return found


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[:letters].rstrip() + " … (cut; see the run)"
