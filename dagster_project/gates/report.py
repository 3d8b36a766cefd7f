"""A gate's result in words: one message for the log and the ledger."""

from dagster_project.errors import printable
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
            first = ", ".join(
                f"{name.lstrip('_')} {value!r}"
                if isinstance(value, str)
                else f"{name.lstrip('_')} {value}"
                for name, value in detail["failing_rows"][0].items()
                if value is not None
            )
            line += f", the first: {first}"
        if detail["fix"]:
            line += f" | what to do: {detail['fix']}"
        lines.append(printable(" ".join(line.split())))
    return lines
