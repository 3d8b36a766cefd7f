"""Row rules of a suite in one scan, and every other SQL rule in one query.

great-expectations 1.24.1 runs an `unexpected_rows_query` twice, once for the rows and once for
their number, and each rule by itself. Here the rules of the form `select … from {batch} where
<condition>` are counted together in one scan of the batch first; most find nothing, which settles
them. Any other rule runs once and returns no more rows than are shown; they are counted separately
only if there are more.

Gain: see the README beside this file. Upstream: none found. Off: `ROYALTY_PATCHES`.
The two metrics are replaced in GX's registry when this module is imported, so it is imported only
where a gate runs with the patch on.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.query_metric_provider import has_top_level_token
from great_expectations.expectations.metrics.query_metrics.query_row_count.unexpected_rows_query_row_count import (  # noqa: E501
    UnexpectedRowsQueryRowCount,
)
from great_expectations.expectations.metrics.query_metrics.query_table.unexpected_rows_query_table import (  # noqa: E501
    UnexpectedRowsQueryTable,
)

ROWS_FETCHED = 20

_ROW_RULE = re.compile(
    r"select\s[^()]*?\sfrom\s+\{batch\}\s+where\s+(?P<condition>.*?)(?:\s+order\s+by\s[\w\s,]+)?",
    re.I | re.S,
)
_NO_ROW_RULE = ("GROUP BY", "HAVING", "UNION", "WINDOW", "LIMIT", "QUALIFY")

# Of the batch that is being checked: rule -> number of failing rows, and the first of them.
_Judged = dict[str, tuple[int, list[dict[str, Any]]]]
_judged: ContextVar[_Judged] = ContextVar("judged")


@contextmanager
def single_scan(engine: SqlAlchemyExecutionEngine, batch: str, rules: list[str]) -> Iterator[None]:
    """Count the rows that fail each row rule in one scan, for the validation within the block.

    batch: the query that gives its rows. rules: the suite's queries, with `{batch}` in them.
    """
    token = _judged.set(_rules_that_pass(engine, batch, rules))
    try:
        yield
    finally:
        _judged.reset(token)


def _rules_that_pass(engine: SqlAlchemyExecutionEngine, batch: str, rules: list[str]) -> _Judged:
    """Return the row rules that no row fails.

    If one of them cannot be evaluated together with others, each is left to run alone, where its
    error is reported.
    """
    conditions = {rule: _condition(rule) for rule in rules}
    row_rules = {rule: condition for rule, condition in conditions.items() if condition}
    if not row_rules:
        return {}
    counts = ", ".join(f"count(*) filter (where {text})" for text in row_rules.values())
    try:
        found = engine.execute_query(sa.text(f"select {counts} from ({batch}) as batch")).fetchone()
    except sa.exc.SQLAlchemyError:
        return {}
    if found is None or len(found) != len(row_rules):
        return {}
    failing = zip(row_rules, found, strict=True)
    return {rule: (0, []) for rule, count in failing if count == 0}


def _condition(rule: str) -> str | None:
    """Return the condition that a row fails by, or None if the rule is about more than one row."""
    if any(has_top_level_token(rule, token) for token in _NO_ROW_RULE):
        return None
    matched = _ROW_RULE.fullmatch(rule.strip())
    if not matched or "{batch}" in matched["condition"]:
        return None
    return matched["condition"].format()


def _failing(
    metric: Any,  # the class itself: GX makes class methods of the two below
    engine: SqlAlchemyExecutionEngine,
    domain: dict[str, Any],
    values: dict[str, Any],
) -> tuple[int, list[dict[str, Any]]]:
    rule = metric._get_query_from_metric_value_kwargs(values)
    judged = _judged.get({})
    if rule not in judged:
        batch, _, _ = engine.get_compute_domain(domain, domain_type="table")
        query = metric._get_substituted_batch_subquery_from_query_and_batch_selectable(
            query=rule, batch_selectable=batch, execution_engine=engine
        )
        found = engine.execute_query(
            sa.text(f"select * from ({query}) as failing limit {ROWS_FETCHED}")
        )
        rows = [row._asdict() for row in found.fetchall()]
        count = len(rows)
        if count == ROWS_FETCHED:
            counted = engine.execute_query(sa.text(f"select count(*) from ({query}) as failing"))
            count = int(counted.fetchall()[0][0])
        judged[rule] = count, rows
    return judged[rule]


# GX warns that a metric is replaced; that is what we want.
_registry = logging.getLogger("great_expectations.expectations.registry")
_level = _registry.level
_registry.setLevel(logging.ERROR)


class FirstUnexpectedRows(UnexpectedRowsQueryTable):
    """The first rows that a rule finds."""

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> list[dict[str, Any]]:
        return _failing(cls, execution_engine, metric_domain_kwargs, metric_value_kwargs)[1]


class UnexpectedRowCount(UnexpectedRowsQueryRowCount):
    """How many rows a rule finds."""

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> int:
        return _failing(cls, execution_engine, metric_domain_kwargs, metric_value_kwargs)[0]


_registry.setLevel(_level)
