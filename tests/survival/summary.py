"""The end of a long test command."""

import json
import time
from pathlib import Path
from typing import Any

import duckdb


def print_summary(found: dict[str, Any], began: float, results: Path | None) -> int:
    """Print the `problems`, then the summary as JSON, with their number in their place; also write
    it to a file. Returns the exit code. began: by the monotonic clock.
    """
    for problem in found["problems"]:
        print(problem)
    summary = {
        **found,
        "problems": len(found["problems"]),
        "duckdb": duckdb.__version__,
        "seconds": round(time.monotonic() - began),
    }
    if results:
        results.write_text(json.dumps(summary, indent=1) + "\n")
    print(json.dumps(summary))
    return 1 if found["problems"] else 0
