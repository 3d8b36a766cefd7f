"""Writes the tables of `docs/gate-policy.md`: kind and ground of each check.

An expectation states both in its suite. The kind of a dbt data test follows from its type.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.gates.suite_files import raise_if_unused, read_suite, tables_with_suites
from dagster_project.sources import all_sources
from dagster_project.transform.dbt_runner import manifest
from dagster_project.workbench.gate_results import LIST, PLAUSIBILITY, STRUCTURE

PAGE = PROJECT_ROOT / "docs" / "gate-policy.md"
KINDS = (STRUCTURE, LIST, PLAUSIBILITY)
SCHEMAS = ("raw", "staging", "intermediate", "core", "marts", "seeds")
MADE_UP = "made-up files only"

_BEGIN, _END = "<!-- begin: written by `make docs` -->", "<!-- end: written by `make docs` -->"

# Kind and ground of each data test, by generic type or, for singular tests, by name. None has kind
# `list`: from intermediate on an unmapped code is `_U`, and `_U` is in every dimension.
DATA_TESTS = {
    "accepted_values": (STRUCTURE, "the project's own words, from models and seeds"),
    "not_null_columns": (
        STRUCTURE,
        "a row without its key is meaningless; raw checks its origin",
    ),
    "codes_in_dimension": (STRUCTURE, "codes are conformed before; an unknown one is `_U`"),
    "not_null": (STRUCTURE, "as `not_null_columns`"),
    "one_at_a_time": (STRUCTURE, "code maps: at most one row per code and release"),
    "one_preferred_source": (STRUCTURE, "the mart chooses it"),
    "relationships": (STRUCTURE, "as `codes_in_dimension`"),
    "unique": (STRUCTURE, "the key of a dimension or seed"),
    "unique_combination_of_columns": (
        STRUCTURE,
        "the grain of the table; keys with `_U` are not compared",
    ),
    "assert_balance_is_computed_where_not_stated": (STRUCTURE, "the model computes it"),
    "assert_dollars_are_the_value_over_the_published_rate": (
        STRUCTURE,
        "the model converts them",
    ),
    "assert_no_release_is_dated_in_the_future": (STRUCTURE, "folders are checked when they land"),
}


@dataclass(frozen=True)
class Rule:
    """One expectation: its table, its rule, its kind and its ground."""

    schema: str
    source: str  # empty if it is about several
    about: str
    kind: str
    ground: str


def rules() -> list[Rule]:
    """Return the expectations of every suite. Raises BadInput for an invalid one."""
    raise_if_unused()
    return [
        Rule(
            table.split(".")[0],
            source_of(table),
            expectation["description"],
            expectation["meta"]["kind"],
            expectation["meta"]["ground"],
        )
        for table in tables_with_suites(SCHEMAS)
        for expectation in read_suite(table)["expectations"]
    ]


def source_of(table: str) -> str:
    """Return the source of a table (`<schema>.<table>`), empty if it has several."""
    name = table.split(".")[1].removeprefix("stg_").removeprefix("int_").split("__")[0]
    return name if name in all_sources() else ""


def data_tests() -> Counter[str]:
    """Return the number of data tests of each type (singular tests: by name)."""
    return Counter(
        (node.get("test_metadata") or node)["name"]
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "test"
    )


def write_gate_policy() -> None:
    """Replace the tables on the page, and keep the prose around them."""
    PAGE.write_text(gate_policy(PAGE.read_text("utf-8")), "utf-8")


def gate_policy(page: str) -> str:
    """Return the page with the tables of the current suites."""
    before, rest = page.split(_BEGIN)
    return "\n".join([before + _BEGIN, *_lines(), _END]) + rest.split(_END)[1]


def _lines() -> Iterator[str]:
    every = rules()
    tests = data_tests()
    yield from _table(
        "### By schema",
        ("schema", *KINDS, "together"),
        [
            *((schema, *_counted(r for r in every if r.schema == schema)) for schema in SCHEMAS),
            ("all expectations", *_counted(every)),
            ("dbt data tests", *_of_tests(tests)),
        ],
    )
    yield from _table(
        "### By source (raw, staging, intermediate)",
        ("source", *KINDS, "together", "on made-up files only"),
        [
            (f"`{source}`", *_counted(of), sum(MADE_UP in rule.ground for rule in of))
            for source in sorted(all_sources())
            for of in [[rule for rule in every if rule.source == source]]
        ],
    )
    yield from _table(
        "### dbt data tests by type",
        ("type", "tests", "kind", "why"),
        [(f"`{name}`", tests[name], *DATA_TESTS[name]) for name in sorted(tests)],
    )
    yield from _table(
        "### Lists: what warns and never rejects",
        ("schema", "source", "rule", "ground"),
        [
            (rule.schema, f"`{rule.source}`" if rule.source else "", rule.about, rule.ground)
            for rule in every
            if rule.kind == LIST and rule.about != "every code is mapped"
        ],
    )
    yield from _table(
        "### Still grounded on made-up files only",
        ("source", "schema", "rule", "kind"),
        sorted(
            (f"`{rule.source}`", rule.schema, rule.about, rule.kind)
            for rule in every
            if MADE_UP in rule.ground
        ),
    )


def _counted(some: Iterable[Rule]) -> tuple[int, ...]:
    kinds = Counter(rule.kind for rule in some)
    return (*(kinds[kind] for kind in KINDS), kinds.total())


def _of_tests(tests: Counter[str]) -> tuple[int, ...]:
    kinds: Counter[str] = Counter()
    for name, count in tests.items():
        kinds[DATA_TESTS[name][0]] += count
    return (*(kinds[kind] for kind in KINDS), kinds.total())


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield title
    yield ""
    for line in [head, ["---"] * len(head), *rows]:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |"
    yield ""
