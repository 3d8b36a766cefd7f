"""A gate's result in words: one message for the log and the ledger."""

from dagster_project.errors import in_words, printable
from dagster_project.ledger import GateResult


def explain(results: list[GateResult]) -> str:
    """Say what failed, where, what was found and what to do; one line an expectation."""
    return "\n".join(line for result in results if not result.success for line in _failures(result))


def _failures(result: GateResult) -> list[str]:
    about = f" {result.release_date}" if result.release_date else ""
    lines = []
    for detail in result.details:
        if detail["success"] or detail["severity"] != "critical":
            continue
        line = f"{result.table_name}{about} | expected: {detail['expectation']}"
        line += f" | found: {detail['observed']}"
        if detail["failing_rows"]:
            line += f", the first: {in_words(detail['failing_rows'][0])}"
        if detail["fix"]:
            line += f" | what to do: {detail['fix']}"
        lines.append(printable(" ".join(line.split())))
    return lines
