"""The site: every number is the result of the query beside it, every link has a target."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import altair as alt
import duckdb
import pytest

from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import Settings
from dagster_project.report import site
from dagster_project.report.charts.flows import CHARTS, DATA
from dagster_project.report.charts.style import COLOURS
from dagster_project.report.formats import MINUS, exact
from dagster_project.report.site import write_report
from dagster_project.transform.dbt_runner import manifest
from dagster_project.transform.docs.dbt_docs import DBT_DOCS
from tests.report.page_reader import Element, read_page
from tests.support import Scenario, Warehouse

COMPARATORS = {">": "more than ", "<": "less than ", "~": "about "}
NUMERIC = {"money", "pct", "number", "rank"}
NUMBER = re.compile(rf"{MINUS}?[\d,]+(\.\d+)?")


def pages(settings: Settings) -> Iterator[tuple[str, Element]]:
    """Path and content of every page except dbt's documentation."""
    root = settings.report.resolve()
    for path in sorted(root.rglob("*.html")):
        if path.name != DBT_DOCS:
            yield str(path.relative_to(root)), read_page(path)


def queries(page: Element) -> dict[str, str]:
    """Every query that a page shows, by its name."""
    found = [(code["data-query"], code.text) for code in page.all("code") if code.get("data-query")]
    assert len(dict(found)) == len(found), "two queries of one name"
    return dict(found)


def number_shown(text: str) -> tuple[Decimal, int]:
    """The number in a text, and its decimals."""
    (found,) = [match.group() for match in NUMBER.finditer(text)]
    plain = found.replace(",", "").replace(MINUS, "-")
    return Decimal(plain), len(plain.partition(".")[2])


def assert_shown(text: str, value: Any, where: str) -> None:
    """Check that the shown text is the value, rounded to the decimals shown."""
    number, decimals = number_shown(text)
    error = abs(number - Decimal(str(value)))
    assert error <= Decimal("0.5000001").scaleb(-decimals), f"{where}: {text} for {value}"


def check_table(table: Element, con: duckdb.DuckDBPyConnection, sql: str, where: str) -> int:
    """Compare a table with the answer of its query; return how many values were compared."""
    heads = [head for head in table.all("th") if head.get("data-column")]
    cursor = con.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    answer = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    (body,) = table.all("tbody")
    shown = list(body.all("tr"))
    assert len(shown) == len(answer), where
    compared = 0
    for row, record in zip(shown, answer, strict=True):
        cells = [cell for cell in row.every() if cell.tag in ("th", "td")]
        for head, cell in zip(heads, cells, strict=True):
            value = record[head["data-column"]]
            assert cell["data-value"] == exact(value), f"{where} {head['data-column']}"
            flow = head["data-column"].removesuffix("_usd_m")
            among = record.get(f"{flow.removeprefix('rank_by_')}_ranked_among")
            if value is None:
                withheld = record.get(f"{flow}_status") == "Q"
                assert cell.text == ("withheld" if withheld else "\N{EN DASH}"), where
            elif head["class"] == "rank" and among:
                assert cell.text == f"{value} of {among}", where
            elif head["class"] in NUMERIC or (
                head["class"] in ("stated", "found") and record["unit"] not in ("sign",)
            ):
                assert_shown(cell.text, value, where)
                if (
                    head["class"] == "money"
                    and record.get(f"{flow}_comparator", "=") in COMPARATORS
                ):
                    assert cell.text.startswith(COMPARATORS[record[f"{flow}_comparator"]]), where
            compared += 1
    return compared


def check_page(path: str, page: Element, con: duckdb.DuckDBPyConnection) -> int:
    """Run every query of a page; return how many values were compared."""
    sql = queries(page)
    compared = 0
    answered = set()
    for table in page.all("table"):
        if table.get("data-of") == "models":
            continue  # lineage is not a number: it is read from the models, and tested with them
        name = table["data-query"]
        answered.add(name)
        compared += check_table(table, con, sql[name], f"{path} {name}")
    for data in page.all("data"):
        name = data["data-query"]
        answered.add(name)
        answer = con.execute(sql[name])
        column = [head[0] for head in answer.description or ()].index(data["data-column"])
        value = answer.fetchall()[int(data["data-row"])][column]
        assert data["value"] == exact(value), f"{path} {name}"
        if isinstance(value, int | float | Decimal):
            assert_shown(data.text, value, f"{path} {name}")
        compared += 1
    for script in page.all("script", type="application/json"):
        name = script["data-spec"]
        assert name in answered, f"{path}: the chart {name} has no table"
        answer = con.execute(sql[name])
        names = [head[0] for head in answer.description or ()]
        known = {tuple(map(plain, row)) for row in answer.fetchall()}
        drawn = {tuple(row[column] for column in names) for row in json.loads(script.text)["rows"]}
        assert drawn <= known, f"{path} {name}"
        assert drawn
    gaps = {name for name in sql if not con.execute(sql[name]).fetchall()}
    assert answered | gaps == sql.keys(), f"{path}: a query without its numbers"
    return compared


def plain(value: Any) -> Any:
    """A value as it is in a chart's data."""
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def test_every_number_equals_the_query_beside_it(real_report: Settings) -> None:
    with duckdb.connect(real_report.warehouse, read_only=True) as con:
        compared = {path: check_page(path, page, con) for path, page in pages(real_report)}
    assert all(compared.values())
    assert sum(compared.values()) > 40_000


def test_the_numbers_of_a_report_on_other_files_are_right_too(made_up_report: Settings) -> None:
    with duckdb.connect(made_up_report.warehouse, read_only=True) as con:
        for path, page in pages(made_up_report):
            check_page(path, page, con)


def test_a_number_that_is_not_the_answer_is_found(real_report: Settings) -> None:
    root = real_report.report.resolve()
    text = (root / "studies" / "china-2018.html").read_text("utf-8")
    with duckdb.connect(real_report.warehouse, read_only=True) as con:
        for right, wrong in (
            ('data-value="2138.000000"', 'data-value="2139.000000"'),
            (">2,138<", ">2,139<"),
            ("period = &#39;2018-S1&#39;", "period = &#39;2017-S1&#39;"),
        ):
            assert right in text
            spoilt = real_report.warehouse_dir / "spoilt.html"
            spoilt.write_text(text.replace(right, wrong), "utf-8")
            with pytest.raises(AssertionError):
                check_page("spoilt", read_page(spoilt), con)


def test_every_number_in_a_sentence_is_an_answer(real_report: Settings) -> None:
    """Sentences about numbers are the leads; their numbers are `data` elements."""
    leads = [lead for _, page in pages(real_report) for lead in page.all("p", **{"class": "lead"})]
    assert leads
    for lead in leads:
        for data in list(lead.all("data")):
            data.children.clear()
        assert not re.search(r"\d", lead.text)


def test_the_studies_answer_the_questions_of_their_authors(real_report: Settings) -> None:
    found = dict(pages(real_report))
    japan = found["studies/japan-2004.html"]
    lead = next(japan.all("p", **{"class": "lead"}))
    assert next(lead.all("data")).text == "2003"
    for slug, text_release in (
        ("japan-2004", "2004-12-31"),
        ("united-states-2025", "2025-05-12"),
        ("china-2018", "2018-12-31"),
    ):
        with duckdb.connect(real_report.warehouse, read_only=True) as con:
            claims = con.execute(
                "select distinct claim_id from marts.mart_published_claims where text_release = ?",
                [text_release],
            ).fetchall()
        page = found[f"studies/{slug}.html"]
        assert {article["id"] for article in page.all("article")} == {name for (name,) in claims}
    charts_of_china = {
        chart["data-chart"] for chart in found["studies/china-2018.html"].all("div", role="img")
    }
    assert charts_of_china == {f"china-{by}" for by in ("partner", "sector", "category", "region")}


def test_every_country_that_states_anything_has_a_page(real_report: Settings) -> None:
    with duckdb.connect(real_report.warehouse, read_only=True) as con:
        codes = con.execute(
            "select distinct reporter_code from marts.flows_by_country"
            " where coalesce(receipts_usd_m, payments_usd_m, balance_usd_m) is not null"
        ).fetchall()
    assert {path for path, _ in pages(real_report) if path.startswith("reporters/")} == {
        f"reporters/{code}.html" for (code,) in [*codes, ("index",)]
    }


def test_every_link_leads_to_a_file_of_the_site(real_report: Settings) -> None:
    root = real_report.report.resolve()
    for path, page in pages(real_report):
        for element in page.every():
            target = element.get("href") or element.get("src")
            if target is None or target.startswith(("data:", "#")):
                continue
            if target.startswith("https://"):
                assert (path, element.tag) == ("sources.html", "a")
            else:
                assert (
                    (root / path).parent.joinpath(target.partition("#")[0]).resolve().is_file()
                ), (path, target)
        for fragment in (link["href"] for link in page.all("a") if link["href"][0] == "#"):
            assert [found for found in page.every() if found.get("id") == fragment[1:]]


def test_the_exposure_names_the_tables_that_the_pages_ask(real_report: Settings) -> None:
    asked = {
        table
        for _, page in pages(real_report)
        for sql in queries(page).values()
        for table in re.findall(r"(?:core|marts)\.(\w+)", sql)
    }
    exposure = manifest()["exposures"]["exposure.royalty_flows.report"]
    assert {name.rpartition(".")[2] for name in exposure["depends_on"]["nodes"]} == asked


def test_pages_can_be_read_without_seeing_them(real_report: Settings) -> None:
    titles: Counter[str] = Counter()
    for path, page in pages(real_report):
        assert next(page.all("html"))["lang"] == "en"
        assert len(list(page.all("h1"))) == len(list(page.all("main"))) == 1, path
        titles[next(page.all("title")).text] += 1
        for table in page.all("table"):
            assert next(table.all("caption")).text.strip(), path
            assert all(head.get("scope") for head in table.all("th")), path
        for chart in page.all("div", role="img"):
            assert len(chart["aria-label"]) > 20, path
        ids = Counter(found["id"] for found in page.every() if found.get("id"))
        assert set(ids.values()) == {1}, path
        skip = next(page.all("a"))
        assert (skip["class"], skip["href"]) == ("skip", "#main")
    assert set(titles.values()) == {1}


def test_a_withheld_figure_a_bound_and_a_rank_are_shown_as_such(real_report: Settings) -> None:
    found = dict(pages(real_report))

    def cells(path: str, query: str) -> list[list[str]]:
        (table,) = [t for t in found[path].all("table") if t.get("data-query") == query]
        (body,) = table.all("tbody")
        return [
            [cell.text for cell in row.every() if cell.tag in "th td"] for row in body.all("tr")
        ]

    by_year = {row[0]: row for row in cells("reporters/USA.html", "balance")}
    assert by_year["2022"][1:4] == ["more than 127,000", "53,000", "about 74,000"]
    assert by_year["2020"][6] == "1 of 101"
    of_2020 = {row[0]: row for row in cells("reporters/GBR.html", "partner-bpm6-sh")}
    assert of_2020["Mexico"][2] == "45"  # 35 million pounds
    assert "withheld" in {text for row in of_2020.values() for text in row[1:3]}
    (rest,) = [row for name, row in of_2020.items() if name.startswith("Not allocated (withheld: ")]
    assert list(of_2020.values())[-1] == rest
    china = cells("studies/china-2018.html", "china-partner")
    assert [row[0] for row in china] == ["Germany", "Japan", "United States", "Not allocated"]
    assert [row[3] for row in china] == ["\u22123,127", "\u22122,932", "\u22122,460", "\u22128,012"]


def test_charts_draw_what_is_not_allocated(real_report: Settings) -> None:
    found = dict(pages(real_report))
    for path, name in (
        ("reporters/GBR.html", "partner-bpm6-sh"),
        ("studies/china-2018.html", "china-partner"),
        ("studies/china-2018.html", "china-sector"),
    ):
        (script,) = found[path].all("script", **{"data-spec": name})
        drawn = json.loads(script.text)["rows"]
        assert [row["member_kind"] for row in drawn].count("unallocated") == 1
        assert drawn[-1]["member_code"] == "_X"


def luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_has_enough_contrast() -> None:
    style = (Path(site.__file__).parent / "assets" / "style.css").read_text("utf-8")
    declared = dict(re.findall(r"--(\w+): (#\w{6});", style))
    colours = {**declared, **COLOURS}
    assert {"ink", "muted", "accent", "bad", "receipts", "payments"} <= colours.keys()
    for name, colour in colours.items():
        if name not in ("paper", "grid", "wash"):
            assert 1.05 / (luminance(colour) + 0.05) >= 4.5, name


def test_altair_validates_the_charts() -> None:
    row: dict[str, Any] = {
        "period": "2020",
        "flow": "receipts",
        "member_name": "A",
        "member_code": "A",
        "member_kind": "country",
        "rank_by_receipts": 1,
        **{f"{flow}_usd_m": 3000 for flow in ("receipts", "payments", "balance")},
        **{f"{side}_stated_usd_m": 3000 for side in ("receipts", "payments")},
    }
    balance = {**row, "receipts_usd_m": None, "payments_usd_m": None}
    rest = {**row, "member_kind": "unallocated", "withheld_receipts": 2, "withheld_payments": 0}
    for name, rows, options in (
        ("balance_over_time", [row], {"turned": "is_first_surplus"}),
        ("balance_over_time", [{**row, "receipts_comparator": ">"}], {}),
        ("ranked_bars", [row], {"flow": "balance", "member": "member_name"}),
        ("ranked_bars", [row], {"flow": "receipts", "member": "member_name"}),
        ("ranked_member_bars", [row], {"member": "member_name"}),
        ("ranked_member_bars", [balance, rest], {"member": "member_name"}),
        ("ranked_member_bars", [row, rest], {"member": "member_name"}),
        ("two_sides", [row], {}),
        ("countries_over_time", [row], {}),
        ("counted_bars", [row], {"label": "member_name", "value": "rank_by_receipts"}),
    ):
        drawing = CHARTS[name](rows, **options)
        assert drawing is not None
        assert drawing.spec["layer"]
        assert drawing.spec["data"] == {"name": DATA}
        alt.LayerChart.from_dict(dict(drawing.spec), validate=True)


def test_altair_finds_an_error_in_a_chart() -> None:
    drawing = CHARTS["counted_bars"]([], label="size", value="revisions")
    assert drawing is not None
    with pytest.raises(Exception, match="is not of type"):
        alt.LayerChart.from_dict({**drawing.spec, "width": ["wide"]}, validate=True)


# Writing it


def test_a_new_report_replaces_the_old_one_whole(warehouse: Warehouse) -> None:
    settings = warehouse.settings
    before = file_sha256(settings.warehouse)
    first = write_report(settings).folder
    held = os.open(first, os.O_RDONLY)
    second = write_report(settings).folder
    os.close(held)
    assert settings.report.resolve() == second != first
    assert [path for path in settings.reports.iterdir() if path.is_dir()] == [second]
    assert not settings.report.readlink().is_absolute()
    assert file_sha256(settings.warehouse) == before


def test_a_report_that_cannot_be_finished_leaves_the_old_one(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    settings = warehouse.settings
    present = write_report(settings).folder
    with monkeypatch.context() as patched:
        patched.setattr(site, "_write_dbt_docs", fail)
        with pytest.raises(OSError, match="no space"):
            write_report(settings)
    assert settings.report.resolve() == present
    write_report(settings)  # which deletes the leftovers
    assert [path for path in settings.reports.iterdir() if path.is_dir()] == [
        settings.report.resolve()
    ]


def test_without_a_published_file_there_is_no_report(folders: Warehouse) -> None:
    with pytest.raises(BadInput, match="nothing to report on"):
        write_report(folders.settings)


def test_the_asset_writes_it(warehouse: Warehouse, template: Scenario) -> None:
    import dagster as dg

    from tests.support import execute

    result = execute(dg.AssetSelection.assets("report"))
    assert result.success
    (done,) = result.get_asset_materialization_events()
    metadata = done.materialization.metadata
    assert (
        metadata["publication"].value
        == template.warehouse.published("select max(publication_id) from audit.publication")[0][0]
    )
    assert Path(str(metadata["start page"].value)).is_file()
    assert metadata["pages"].value == len(list(pages(warehouse.settings)))
