"""Superset as a client of the published file, by its REST API."""

import math
import stat
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import PROJECT_ROOT
from tests.superset.conftest import PYTHON, Superset, parameters, publish_changed
from tests.support import held_by, rows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-superset (make superset-env)"),
    pytest.mark.xdist_group("superset"),
]

ASSETS = PROJECT_ROOT / "superset" / "assets"
# The choices on the left of each tab; the years are those of the made-up files.
CHOSEN = {
    "TAB-world": {"period": "2015"},
    "TAB-time": {"reporter_name": "Japan"},
    "TAB-economy": {"reporter_code": "CHN", "period": "2018-S1"},
    "TAB-trust": {},
}
FREQUENCY = "Frequency of the period: A, S, Q or M (SDMX code list CL_FREQ)."
PUBLICATION = "select max(publication_id) from audit.publication"


def dashboard() -> dict[str, Any]:
    return yaml.safe_load((ASSETS / "dashboards" / "balances.yaml").read_text("utf-8"))


# Logins


def test_only_the_generated_password_logs_in(superset: Superset) -> None:
    assert superset.log_in("admin").status_code == 401
    assert superset.log_in(superset.password).status_code == 200


def test_secrets_are_the_owners_alone(superset: Superset) -> None:
    assert stat.S_IMODE(superset.home.stat().st_mode) == 0o700
    for name in ("password", "secret_key"):
        assert stat.S_IMODE((superset.home / name).stat().st_mode) == 0o600
        assert len((superset.home / name).read_text().strip()) >= 32


# Visible schemas and tables


def test_it_sees_the_schemas_tables_columns_and_comments_of_the_file(superset: Superset) -> None:
    database = f"/database/{superset.database}"
    schemas = superset.get(f"{database}/schemas/")["result"]
    assert {"royalty_flows.audit", "royalty_flows.core", "royalty_flows.marts"} <= set(schemas)
    published = superset.warehouse.published
    for schema in ("core", "marts"):
        seen = superset.get(f"{database}/tables/?q=(schema_name:{schema})")["result"]
        assert sorted((table["value"],) for table in seen) == published(
            f"select table_name from duckdb_tables() where schema_name = '{schema}' order by 1"
        )
    table = "schema=marts&name=mart_balance_by_partner"
    columns = superset.get(f"{database}/table_metadata/?{table}")["columns"]
    assert [(column["name"], column["comment"]) for column in columns] == published(
        "select column_name, comment from duckdb_columns()"
        " where table_name = 'mart_balance_by_partner' order by column_index"
    )


def test_a_dataset_has_the_comments_of_the_table_in_the_file(superset: Superset) -> None:
    datasets = superset.listed("dataset")
    assert {d["table_name"] for d in datasets} == {
        path.stem for path in (ASSETS / "datasets").rglob("*.yaml")
    }
    for listed in datasets:
        dataset = superset.get(f"/dataset/{listed['id']}")["result"]
        where = f"schema_name = '{dataset['schema']}' and table_name = '{dataset['table_name']}'"
        ((comment,),) = superset.warehouse.published(
            f"select comment from duckdb_tables() where {where}"
        )
        assert dataset["description"] == comment
        stated = [c for c in dataset["columns"] if not c["expression"]]
        assert sorted((c["column_name"], c["type"], c["description"]) for c in stated) == sorted(
            superset.warehouse.published(
                f"select column_name, data_type, comment from duckdb_columns() where {where}"
            )
            # Of a dataset that unites the tables of all frequencies.
            + [("frequency", "VARCHAR", FREQUENCY)] * bool(dataset["sql"])
        )
        for metric in dataset["metrics"]:
            assert metric["description"]
            assert metric["verbose_name"]


def test_the_start_of_a_period_is_that_of_dim_period(superset: Superset) -> None:
    (dataset,) = [d for d in superset.listed("dataset") if d["table_name"] == "mart_coverage"]
    columns = superset.get(f"/dataset/{dataset['id']}")["result"]["columns"]
    (start,) = [c["expression"] for c in columns if c["column_name"] == "period_start"]
    compared = superset.warehouse.published(
        f"select period, start_date, {start} from core.dim_period"
    )
    assert {len(period) for period, *_ in compared} >= {4, 7}  # more than years
    assert [row for row in compared if row[1] != row[2]] == []


def test_sql_lab_answers_as_the_file_does(superset: Superset) -> None:
    sql = (
        "select reporter_code, period, receipts_usd_m::double, rank_by_balance"
        " from marts.mart_world_ranking order by all"
    )
    assert superset.rows(sql) == superset.warehouse.published(sql)
    macro = "select count(*) from royalty_flows_as_of(date '2100-01-01')"
    assert superset.rows(macro) == superset.warehouse.published(macro)


# Charts


def context(params: dict[str, Any], chosen: dict[str, str]) -> list[dict[str, Any]]:
    """Return the queries of a chart, as the browser makes them of its parameters."""
    raw = params.get("query_mode") == "raw"
    columns = params["all_columns"] if raw else [*params["groupby"]]
    if "x_axis" in params:
        columns = [params["x_axis"], *columns]
    metrics = [params.get("metrics") or ([params["metric"]] if "metric" in params else [])]
    if "metrics_b" in params:
        metrics.append(params["metrics_b"])
    simple = [f for f in params["adhoc_filters"] if f["expressionType"] == "SIMPLE"]
    filters = [
        *({"col": f["subject"], "op": f["operator"], "val": f["comparator"]} for f in simple),
        *({"col": column, "op": "IN", "val": [value]} for column, value in chosen.items()),
    ]
    where = [f"({f['sqlExpression']})" for f in params["adhoc_filters"] if "sqlExpression" in f]
    return [
        {
            "columns": columns,
            **({} if raw else {"metrics": names}),
            "filters": filters,
            "extras": {"where": " and ".join(where)},
            "row_limit": params["row_limit"],
        }
        for names in metrics
    ]


def plain(value: Any) -> Any:
    """Return a value as the REST API gives it."""
    match value:
        case bool():
            return value
        case Decimal() | float() | int():
            return None if math.isnan(value) else round(float(value), 6)
        case datetime():
            return plain(value.replace(tzinfo=UTC).timestamp() * 1000)
        case date():
            return plain(datetime(value.year, value.month, value.day))
    return value


def test_each_chart_of_the_dashboard_shows_the_numbers_of_the_file(superset: Superset) -> None:
    position = dashboard()["position"]
    tab_of = {
        item["meta"]["uuid"]: next(parent for parent in item["parents"] if "TAB-" in parent)
        for item in position.values()
        if isinstance(item, dict) and item["type"] == "CHART"
    }
    on_dashboard = superset.get("/dashboard/balances/charts")["result"]
    charts = [c for c in superset.listed("chart") if c["id"] in {c["id"] for c in on_dashboard}]
    assert len(charts) == len(tab_of) == len(list((ASSETS / "charts").glob("*.yaml")))
    for chart in charts:
        uuid = superset.get(f"/chart/{chart['id']}")["result"]["uuid"]
        params = parameters(superset, chart)
        queries = context(params, CHOSEN[tab_of[uuid]])
        for query, result in zip(
            queries, superset.data(chart["datasource_id"], queries), strict=True
        ):
            name = chart["slice_name"]
            assert result["data"], f"{name} is empty: {result['query']}"
            shown = [row[m] for row in result["data"] for m in query.get("metrics", row)]
            assert any(value is not None for value in shown), f"{name}: {result['query']}"
            with duckdb.connect(superset.warehouse.settings.warehouse, read_only=True) as con:
                direct = con.execute(result["query"]).fetchall()
            found = [[plain(value) for value in row.values()] for row in result["data"]]
            stated = [[plain(value) for value in row] for row in direct]
            assert sorted(map(repr, found)) == sorted(map(repr, stated)), name


def test_the_ranking_is_that_of_the_mart(superset: Superset) -> None:
    (chart,) = [c for c in superset.listed("chart") if c["slice_name"] == "World ranking"]
    queries = context(parameters(superset, chart), CHOSEN["TAB-world"])
    (result,) = superset.data(chart["datasource_id"], queries)
    names = ["reporter_name", "receipts", "payments", "balance", "rank_by_balance"]
    assert sorted(tuple(row[name] for name in names) for row in result["data"]) == sorted(
        superset.warehouse.published(
            "select reporter_name, receipts_usd_m::double, payments_usd_m::double,"
            " balance_usd_m::double, rank_by_balance from marts.flows_by_country"
            " where period = '2015'"
            " and (rank_by_receipts <= 25 or rank_by_payments <= 25)"
        )
    )


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("mart_world_ranking", ["reporter_code"]),  # several sources and years
        ("mart_balance_by_partner", ["reporter_code", "period"]),  # a total and its parts
    ],
)
def test_a_metric_adds_up_only_additive_figures(
    superset: Superset, table: str, columns: list[str]
) -> None:
    (dataset,) = [d for d in superset.listed("dataset") if d["table_name"] == table]
    (result,) = superset.data(
        dataset["id"], [{"columns": columns, "metrics": ["receipts"], "row_limit": 10000}]
    )
    listed = ", ".join(columns)
    alone = {
        tuple(key)
        for *key, _ in superset.warehouse.published(
            f"select {listed}, count(*) from marts.{table} group by {listed} having count(*) = 1"
        )
    }
    found = {tuple(row[c] for c in columns): row["receipts"] for row in result["data"]}
    assert set(found) - alone
    assert {
        key: value for key, value in found.items() if key not in alone and value is not None
    } == {}


def test_a_metric_of_a_table_that_adds_up_is_the_sum_of_one_period(superset: Superset) -> None:
    (dataset,) = [d for d in superset.listed("dataset") if d["table_name"] == "flows_by_partner"]
    by_period, by_country = (
        superset.data(
            dataset["id"], [{"columns": columns, "metrics": ["receipts"], "row_limit": 10000}]
        )[0]["data"]
        for columns in (["reporter_code", "period"], ["reporter_code"])
    )
    assert {
        (row["reporter_code"], row["period"]): row["receipts"]
        for row in by_period
        if len(row["period"]) == 4
    } == {
        tuple(key): value
        for *key, value in superset.warehouse.published(
            "select reporter_code, period, sum(receipts_usd_m)::double from marts.flows_by_partner"
            " group by all"
        )
    }
    alone = {row["reporter_code"] for row in by_country if row["receipts"] is not None}
    for country in alone:
        assert len({row["period"] for row in by_period if row["reporter_code"] == country}) == 1
    assert len(alone) < len(by_country)


# Writes are refused


def test_a_write_is_refused_by_superset_and_by_the_file(superset: Superset) -> None:
    path = superset.warehouse.settings.warehouse
    before = file_sha256(path)
    write = "delete from marts.mart_world_ranking"
    refused = superset.ask(write)
    assert "does not allow for DDL/DML" in refused.text
    database = f"/database/{superset.database}"
    assert superset.http.put(database, json={"allow_dml": True}).status_code == 200
    try:
        assert "only queries are allowed" in superset.ask(write).text
    finally:
        superset.http.put(database, json={"allow_dml": False})
    assert file_sha256(path) == before


def test_it_reads_no_other_file(superset: Superset) -> None:
    answer = superset.ask(f"select * from read_text('{superset.home / 'password'}')")
    assert answer.status_code != 200
    assert superset.password not in answer.text
    assert "disabled" in answer.text


# New data


def test_it_shows_each_publication_at_once_while_many_ask(superset: Superset) -> None:
    """Readers query without a pause, so that the server always has an open connection."""
    path = superset.warehouse.settings.warehouse
    published = [held_by(path)]
    seen: list[str] = []
    errors: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            answer = superset.ask(PUBLICATION)
            if answer.status_code == 200:
                seen.append(*answer.json()["data"][0].values())
            else:
                errors.append(answer.text)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for number in (1, 2):
            new = publish_changed(
                superset.warehouse,
                "update marts.mart_world_ranking set balance_usd_m = balance_usd_m + 1",
            )
            published.append(new)
            sql = "select sum(balance_usd_m)::double from marts.mart_world_ranking"
            assert superset.rows(PUBLICATION) == [(new,)], f"publication {number} is not seen"
            assert superset.rows(sql) == rows(path, sql)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert errors == []
    assert set(seen) <= set(published)
    assert len(set(seen)) >= 2
