"""The chart of each mart in the Dagster UI: its main series, selected by SQL in `marts/`.

A mart has many series and a picture has room for few. The SQL selects the most informative one: the
reporter and source with the most parts stated, and what is not allocated to them; the latest year
with a ranking; the largest gaps.
Only columns of the mart are drawn.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import altair as alt
import duckdb

from dagster_project.report.charts.picture import both_sides, flows_over_time, shares_by_size
from dagster_project.report.query import Queries

_FOLDER = Path(__file__).parent / "marts"
_UNIT = "million US dollars"
SIZES = ("not changed", "up to 1 %", "up to 5 %", "up to 20 %", "more than 20 %")

# Takes a connection to the mart's file; returns None if there is nothing to draw.
Chart = Callable[[duckdb.DuckDBPyConnection], alt.TopLevelMixin | None]


def _chart(query: str, con: duckdb.DuckDBPyConnection, **values: str) -> alt.TopLevelMixin | None:
    queries = Queries(con, _FOLDER)
    rows = queries.ask(query, **values).records()
    if not rows:
        return None
    front_matter = queries.front_matter(query)
    texts = {**rows[0], **values, "rows": len(rows)}
    title = front_matter["title"].format_map(texts)
    about = [line.format_map(texts) for line in front_matter["about"]]
    if "size" in rows[0]:
        return shares_by_size(rows, SIZES, title=title, about=about)
    if len({row["period"] for row in rows}) == 1:
        return both_sides(rows, title=f"{title}, {rows[0]['period']}", about=about)
    options: dict[str, Any] = front_matter.get("options", {})
    about.append("The largest; each panel has a scale of its own.")
    return flows_over_time(rows, title=f"{title}, {_UNIT}", about=about, **options)


CHARTS: dict[str, Chart] = {
    **{
        f"flows_by_{dimension}": partial(_chart, "flows_by", dimension=dimension)
        for dimension in ("partner", "sector", "category", "affiliation", "subdivision")
    },
    "flows_by_country": partial(_chart, "flows_by_country"),
    **{f"mart_{name}": partial(_chart, name) for name in ("mirror_asymmetry", "revisions")},
}
