"""Reads the suite files into Great Expectations' form.

`expectations/<schema>/<table>.json` holds `lineage`, the columns that name a failing row, and
`expectations`. Each has a `description`, a `kind` (from which its severity follows) and a `ground`
(docs/gate-policy.md), a `fix` for when it fails, and either a `query` that returns the failing
rows, or a `type` and `kwargs` of Great Expectations. Any of these may come from a rule of
`_rules.json`, as in `{"rule": "filled", "with": {"column": "area"}}`; the expectation's own keys
take precedence. In a rule, `$column` is the parameter of that name. An expectation that lets rows
pass (`_LENIENT`), or warns without naming codes, has a `reason`.

A query or a fix of one word is a name: of a query in the `.sql` file beside the suite (`_rules.sql`
for rules), below the line `-- name: <name>`, or of a fix in `_fixes.json`.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.workbench.gate_results import LIST, PLAUSIBILITY, STRUCTURE

EXPECTATIONS = PROJECT_ROOT / "expectations"

SEVERITIES = {STRUCTURE: "critical", LIST: "warning", PLAUSIBILITY: "critical"}

_NEEDED = {"description", "kind", "ground", "fix"}
_ALLOWED = _NEEDED | {"query", "type", "kwargs", "reason"}

# Arguments of Great Expectations that let rows pass which fail the rule.
_LENIENT = ("mostly", "row_condition")


def suite_path(table_name: str, root: Path = EXPECTATIONS) -> Path:
    """Return the suite file of `<schema>.<table>`."""
    schema, table = table_name.split(".")
    return root / schema / f"{table}.json"


def tables_with_suites(schemas: Sequence[str], root: Path = EXPECTATIONS) -> list[str]:
    """Return the tables (`<schema>.<table>`) of these schemas that have a suite."""
    return [
        f"{schema}.{path.stem}"
        for schema in schemas
        for path in sorted((root / schema).glob("*.json"))
    ]


def read_suite(table_name: str, root: Path = EXPECTATIONS) -> dict[str, Any]:
    """Return a suite as the arguments of `ExpectationSuite`, with placeholders in its queries.

    Raises FileNotFoundError, or BadInput for the first mistake.
    """
    path = suite_path(table_name, root)
    suite = json.loads(path.read_text("utf-8"))
    rules, fixes = _rules(root), _fixes(root)
    queries = _queries(path)
    expectations = []
    for written in suite["expectations"]:
        about = written.get("description") or written.get("rule")
        where = f"{path.relative_to(root)}: {about}"
        whole = _from_rule(written, rules, where)
        expectations.append(_expectation(whole, queries, fixes, where))
    _raise_if_unused(queries, (written.get("query") for written in suite["expectations"]), path)
    if not expectations:
        raise _mistake(str(path.relative_to(root)), "at least one expectation", "none")
    return {
        "name": table_name,
        "meta": {"lineage": suite["lineage"]},
        "expectations": expectations,
    }


def weakened_expectations(table_name: str, root: Path = EXPECTATIONS) -> list[str]:
    """Return the expectations of a suite that let failing rows pass, and give no reason.

    Raises as `read_suite` does.
    """
    weak = {
        expectation["description"]: weakness
        for expectation in read_suite(table_name, root)["expectations"]
        if (weakness := _weakness(expectation))
    }
    return [f"{table_name}: {name} ({weakness})" for name, weakness in weak.items()]


def _weakness(expectation: Mapping[str, Any]) -> str:
    if expectation["meta"].get("reason", "").strip():
        return ""
    arguments = expectation["kwargs"]
    lenient = [f"{name}: {arguments[name]}" for name in _LENIENT if name in arguments]
    # A rule that warns returns the codes that are new, each with its number of rows.
    names_codes = "rows_found" in arguments.get("unexpected_rows_query", "")
    if expectation["meta"]["kind"] == LIST and not names_codes:
        lenient.append(f"kind: {LIST}, without naming codes")
    return ", ".join(lenient)


def raise_if_unused(root: Path = EXPECTATIONS) -> None:
    """Raise BadInput if a rule or fix is not used by any suite."""
    written = [
        expectation
        for path in root.glob("*/*.json")
        for expectation in json.loads(path.read_text("utf-8"))["expectations"]
    ]
    rules = _rules(root)
    _raise_if_unused(rules, (entry.get("rule") for entry in written), root / "_rules.json")
    used = (entry.get("fix") for entry in [*written, *rules.values()])
    _raise_if_unused(_fixes(root), used, root / "_fixes.json")


def _rules(root: Path) -> dict[str, dict[str, Any]]:
    path = root / "_rules.json"
    rules: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    queries = _queries(path)
    _raise_if_unused(queries, (rule.get("query") for rule in rules.values()), path)
    for name, rule in rules.items():
        where = f"{path.name}: {name}"
        if "query" in rule:
            rule["query"] = _resolve(rule["query"], queries, "query", where)
        used = Template(json.dumps(rule)).get_identifiers()
        if unused := set(rule.get("parameters", [])) - set(used):
            raise _mistake(
                where, "a rule that uses all its parameters", f"unused: {_join_names(unused)}"
            )
    return rules


def _fixes(root: Path) -> dict[str, str]:
    path = root / "_fixes.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _queries(suite: Path) -> dict[str, str]:
    """Return the queries of the `.sql` file beside a suite, by name."""
    path = suite.with_suffix(".sql")
    text = path.read_text("utf-8") if path.exists() else ""
    _, *parts = re.split(r"^-- name: (\w+)$", text, flags=re.M)
    names = parts[::2]
    if len(set(names)) < len(names):
        raise _mistake(path.name, "each name once", ", ".join(names))
    queries = [query.strip().removesuffix(";").rstrip() for query in parts[1::2]]
    return dict(zip(names, queries, strict=True))


def _from_rule(
    written: Mapping[str, Any], rules: Mapping[str, dict[str, Any]], where: str
) -> dict[str, Any]:
    """Return an expectation's keys, completed by those of its rule."""
    own = {key: value for key, value in written.items() if key not in ("rule", "with")}
    values = written.get("with", {})
    if "rule" not in written:
        if values:
            raise _mistake(where, "a rule", "values without a rule")
        return own
    rule = dict(_resolve(written["rule"], rules, "rule", where))
    parameters = rule.pop("parameters", [])
    if sorted(parameters) != sorted(values):
        raise _mistake(where, f"values for {_join_names(parameters)}", _join_names(values))
    return _substitute(rule, values) | own


def _substitute(part: Any, values: Mapping[str, str]) -> Any:
    """Return a part of a rule with its parameters replaced by values."""
    if isinstance(part, dict):
        return {key: _substitute(value, values) for key, value in part.items()}
    return Template(part).safe_substitute(values) if isinstance(part, str) else part


def _expectation(
    whole: Mapping[str, Any], queries: Mapping[str, str], fixes: Mapping[str, str], where: str
) -> dict[str, Any]:
    """Return an expectation in Great Expectations' form."""
    if missing := _NEEDED - whole.keys():
        raise _mistake(where, _join_names(_NEEDED), f"no {_join_names(missing)}")
    if unknown := whole.keys() - _ALLOWED:
        raise _mistake(where, _join_names(_ALLOWED), _join_names(unknown))
    if ("query" in whole) == ("type" in whole):
        raise _mistake(where, "a query or a type", "both or none")
    if whole["kind"] not in SEVERITIES:
        raise _mistake(where, f"a kind of {_join_names(SEVERITIES)}", whole["kind"])
    if "query" in whole:
        query = _resolve(whole["query"], queries, "query", where)
        form = {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}
    else:
        form = {"type": whole["type"], "kwargs": whole.get("kwargs", {})}
    return form | {
        "description": whole["description"],
        "severity": SEVERITIES[whole["kind"]],
        "meta": {
            "kind": whole["kind"],
            "ground": whole["ground"],
            "fix": _resolve(whole["fix"], fixes, "fix", where),
            **({"reason": whole["reason"]} if "reason" in whole else {}),
        },
    }


def _resolve(text: str, known: Mapping[str, Any], what: str, where: str) -> Any:
    """Return the entry that a one-word text names, or the text itself if it is longer."""
    if " " in text or "\n" in text:
        return text
    if text not in known:
        raise _mistake(where, f"a {what} of {_join_names(known)}", text)
    return known[text]


def _raise_if_unused(names: Iterable[str], used: Iterable[str | None], path: Path) -> None:
    if unused := set(names) - set(used):
        raise _mistake(path.name, "names that are all used", f"unused: {_join_names(unused)}")


def _join_names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _mistake(where: str, expected: str, found: str) -> BadInput:
    return BadInput(
        "an invalid suite",
        where=f"expectations, {where}",
        expected=expected,
        found=found,
        fix="correct it (docs/adding-a-source.md, Suites)",
    )
