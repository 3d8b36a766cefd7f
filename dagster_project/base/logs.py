"""Lines for people, or (`ROYALTY_LOG_FORMAT=json`) one JSON object per line for a log store.

`make run` and Dagster's log of a run use the same keys: `time` (UTC), `level`, `message`, and where
known `source`, `release`, `job`, `step`, `event` and `run_id`. Does not import Dagster, so that a
run with nothing new is quick.
"""

import json
import logging
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from dagster_project.base.clock import system_clock
from dagster_project.base.errors import printable_text
from dagster_project.base.run_tags import PARTITION


def say(text: str, level: str = "INFO", **about: Any) -> None:
    """Print a line and flush it: the output goes to a person or a log store.

    text: of several lines only if they belong together; empty ones at its start set it apart.
    about: `source`, `release` and so on, for the log store; the text names them for people.
    """
    if is_json():
        _print(json_line(system_clock(), level, text.strip(), **about))
        return
    body = text.lstrip("\n")
    _print("\n" * (len(text) - len(body)) + printable_text(body))


def _print(text: str) -> None:
    """Print a line, with codes for letters that the output does not have. Never raises: a full disk
    below a log, or a reader that has gone, must not stop a run.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    with suppress(OSError, ValueError):
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def is_json() -> bool:
    """Whether lines are JSON. Read without `Settings`, whose own errors are logged too."""
    return os.environ.get("ROYALTY_LOG_FORMAT") == "json"


def json_line(time: datetime, level: str, message: str, **about: Any) -> str:
    """Return a log line; unknown keys are left out."""
    texts = {
        key: printable_text(str(value), "\n")
        for key, value in {"message": message, **about}.items()
        if value is not None
    }
    return json.dumps({"time": time.isoformat(timespec="milliseconds"), "level": level, **texts})


class JsonFormatter(logging.Formatter):
    """Formats Dagster's log records, and any others, as JSON lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; Dagster attaches the run's facts to it."""
        run: dict[str, Any] = getattr(record, "dagster_meta", {})
        event = run.get("dagster_event")
        job = run.get("job_name")
        tags = run.get("job_tags") or {}
        error = getattr(event.event_specific_data, "error", None) if event else None
        return json_line(
            datetime.fromtimestamp(record.created, UTC),
            record.levelname,
            run.get("orig_message") or record.getMessage(),
            source=job.removeprefix("ingest_") if job and job.startswith("ingest_") else None,
            release=tags.get(PARTITION),
            job=job,
            step=run.get("step_key"),
            event=event.event_type_value if event else None,
            run_id=run.get("run_id"),
            error=error.to_string() if error else None,
        )
