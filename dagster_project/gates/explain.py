"""A gate's result as one message for the log and the ledger."""

from dagster_project.base.errors import in_words, printable
from dagster_project.workbench.gate_results import LIST, GateResult


def explain(results: list[GateResult], severity: str = "critical") -> str:
    """Return what failed, where, what was found and what to do; one line per expectation."""
    return "\n".join(line for result in results for line in _failures(result, severity))


def _failures(result: GateResult, severity: str) -> list[str]:
    about = f" {result.release_date}" if result.release_date else ""
    lines = []
    for detail in result.details:
        if detail["success"] or detail["severity"] != severity:
            continue
        line = f"{result.table_name}{about} | expected: {detail['expectation']}"
        line += f" | found: {detail['observed']}"
        if (
            detail["failing_rows"] and detail.get("kind") != LIST
        ):  # for a list, `found` names the codes
            line += f", the first: {in_words(detail['failing_rows'][0])}"
        if detail["fix"]:
            line += f" | what to do: {detail['fix']}"
        lines.append(printable(" ".join(line.split())))
    return lines
