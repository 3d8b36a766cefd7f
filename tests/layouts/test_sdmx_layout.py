"""SDMX messages in every format, good and hostile.

Real messages of other datasets are in sdmx1's collection of test data. No package ships it: the
tests on it look in the folder that sdmx1's own tests use, `SDMX_TEST_DATA`, and skip without it.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.layouts import SdmxDataset, sdmx_layout
from tests.layouts.layout_reader import changed, read, refusal

RATES = SdmxDataset(
    "Rates",
    "rates",
    dimensions=("FREQ", "CURRENCY"),
    attributes=("DECIMALS", "TITLE", "OBS_STATUS", "UNIT_MULT"),
)

HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<m:GenericData xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
 xmlns:c="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common"
 xmlns:g="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic">
<m:Header><m:ID>MADE_UP</m:ID><m:Test>true</m:Test><m:Prepared>2020-01-01T00:00:00</m:Prepared>
<m:Sender id="X"/><m:Structure structureID="S" dimensionAtObservation="{at}">
<c:Structure><Ref agencyID="X" id="D" version="1.0"/></c:Structure></m:Structure></m:Header>
<m:DataSet structureRef="S" action="{action}">"""
END = "</m:DataSet></m:GenericData>\n"


def values(**of: str) -> str:
    return "".join(f'<g:Value id="{name}" value="{value}"/>' for name, value in of.items())


def generic(body: str, at: str = "TIME_PERIOD", action: str = "Append") -> str:
    return HEADER.format(at=at, action=action) + body + END


SERIES = (
    f"<g:Attributes>{values(UNIT_MULT='0')}</g:Attributes>"
    f"<g:Group type='Siblings'><g:GroupKey>{values(CURRENCY='USD')}</g:GroupKey>"
    f"<g:Attributes>{values(TITLE='Dollar')}</g:Attributes></g:Group>"
    f"<g:Series><g:SeriesKey>{values(FREQ='A', CURRENCY='USD')}</g:SeriesKey>"
    f"<g:Attributes>{values(DECIMALS='2')}</g:Attributes>"
    f"<g:Obs><g:ObsDimension value='2018'/><g:ObsValue value='1.10'/>"
    f"<g:Attributes>{values(OBS_STATUS='A')}</g:Attributes></g:Obs>"
    "<g:Obs><g:ObsDimension value='2019'/></g:Obs></g:Series>"
    f"<g:Series><g:SeriesKey>{values(FREQ='A', CURRENCY='JPY')}</g:SeriesKey>"
    "<g:Obs><g:ObsDimension value='2019'/><g:ObsValue value='NaN'/></g:Obs></g:Series>"
)
FOUND = [
    ("A", "USD", "2018", "2", "Dollar", "A", "0", "OBS_VALUE", "1.10", None, 1),
    ("A", "USD", "2019", "2", "Dollar", None, "0", "OBS_VALUE", None, None, 2),
    ("A", "JPY", "2019", None, None, None, "0", "OBS_VALUE", "NaN", None, 3),
]


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


# SDMX-ML


def test_a_generic_message_with_attributes_at_all_four_levels(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = written(tmp_path, "generic.xml", generic(SERIES))
    extract = read(con, path, RATES.layouts)
    assert extract.rows.fetchall() == FOUND
    assert (extract.rows_read, extract.rows_kept) == (3, 3)


def test_another_dimension_at_the_observation_and_none(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    series = f"<g:Series><g:SeriesKey>{values(FREQ='A', TIME_PERIOD='2018')}</g:SeriesKey>"
    across = (
        series + "<g:Obs><g:ObsDimension value='USD'/><g:ObsValue value='1'/></g:Obs></g:Series>"
    )
    flat = (
        f"<g:Obs><g:ObsKey>{values(FREQ='A', CURRENCY='USD', TIME_PERIOD='2018')}</g:ObsKey>"
        "<g:ObsValue value='1'/></g:Obs>"
    )
    for body, at in ((across, "CURRENCY"), (flat, "AllDimensions")):
        path = written(tmp_path, "message.xml", generic(body, at))
        found = read(con, path, RATES.layouts).rows.select('freq, currency, time_period, "value"')
        assert found.fetchall() == [("A", "USD", "2018", "1")]
        con.execute("drop table incoming")


def test_a_compact_message_of_sdmx_2_0(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    namespace = "http://www.SDMX.org/resources/SDMXML/schemas/v2_0/message"
    path = written(
        tmp_path,
        "compact.xml",
        f'<CompactData xmlns="{namespace}" xmlns:x="urn:x"><Header><ID>MADE_UP</ID></Header>'
        '<x:DataSet><x:Group CURRENCY="USD" TITLE="Dollar"/><x:Series FREQ="Q" CURRENCY="USD">'
        '<x:Obs TIME_PERIOD="2018-Q3" OBS_VALUE="0.50"/></x:Series></x:DataSet></CompactData>',
    )
    found = read(con, path, RATES.layouts).rows.select('freq, time_period, title, "value"')
    assert found.fetchall() == [("Q", "2018-Q3", "Dollar", "0.50")]


@pytest.mark.parametrize("twin", ['value="666"', 'obs_value="666"', 'currency="EUR"'])
def test_two_attributes_of_one_column_are_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, twin: str
) -> None:
    obs = f'FREQ="Q" CURRENCY="USD" TIME_PERIOD="2018-Q3" OBS_VALUE="0.50" {twin}'
    text = f"<CompactData><DataSet><Obs {obs}/></DataSet></CompactData>"
    problem = refusal(con, written(tmp_path, "compact.xml", text), RATES.layouts)
    assert "two attributes of one column" in problem.found


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda text: text.replace("?>", "?>" + BOMB, 1).replace("2018", "&b;"), "a document type"),
        (lambda text: text.replace("?>", "?>" + OUTSIDE, 1).replace("2018", "&a;"), "a document t"),
        (lambda text: text.replace("2018", "&b;"), "undefined entity"),
        (lambda text: text.replace('"UTF-8"', '"bogus"'), "unknown encoding"),
        (lambda text: text[: text.index("2019")], "unclosed token"),
        (lambda text: text.removesuffix(END), "no element found"),
        (
            lambda text: text.replace("GenericData", "Structure"),
            "'Structure', which is not an SDMX",
        ),
        (lambda text: text.replace("Append", "Delete"), "deletes observations"),
        (
            lambda text: text.replace("<g:Obs>", "<g:Obs>" + "<x>" * 99),
            "elements nested",
        ),
        (
            lambda text: text.replace('id="CURRENCY"', 'id="MONEY"'),
            "observation 1 without currency",
        ),
        (lambda text: text.replace("ObsDimension", "ObsTime"), "observation 1 without time_period"),
        (
            lambda text: text.replace("Dollar", "Dollar" * 1_000_000),
            "a value of 6,000,000 characters",
        ),
    ],
)
def test_a_hostile_or_broken_message_is_refused(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    change: Callable[[str], str],
    found: str,
) -> None:
    path = written(tmp_path, "message.xml", change(generic(SERIES)))
    problem = refusal(con, path, RATES.layouts)
    assert problem.expected == "Rates, SDMX-ML"
    assert found in problem.found


def test_a_message_truncated_far_behind_the_beginning_is_refused_too(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    many = "<g:Obs><g:ObsDimension value='2018'/><g:ObsValue value='1'/></g:Obs>" * 2000
    body = SERIES.replace("<g:Obs>", many + "<g:Obs>", 1)
    path = written(tmp_path, "message.xml", generic(body)[:-60])
    assert path.stat().st_size > 1 << 17
    problem = refusal(con, path, RATES.layouts)
    assert problem.what == "the file is truncated or not valid"


@pytest.mark.parametrize(
    ("name", "limit", "text"),
    [("message.xml", "MAX_XML_BYTES", generic(SERIES)), ("message.json", "MAX_JSON_BYTES", "{}")],
)
def test_a_message_that_is_too_large_is_refused(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    limit: str,
    text: str,
) -> None:
    monkeypatch.setattr(sdmx_layout, limit, len(text) - 1)
    found = refusal(con, written(tmp_path, name, text), RATES.layouts).found
    assert found.endswith(f"document of {len(text):,} bytes")


# SDMX-JSON


def json_message(version: str) -> dict[str, Any]:
    """The same message in the draft of 1.0, in 1.0 and in 2.0."""

    def component(name: str, *codes: str) -> dict[str, Any]:
        return {"id": name, "values": [{"id": code, "name": f"of {code}"} for code in codes]}

    structure = {
        "dimensions": {
            "dataSet": [component("FREQ", "A")],
            "series": [component("CURRENCY", "USD", "JPY")],
            "observation": [component("TIME_PERIOD", "2018", "2019")],
        },
        "attributes": {
            "dataSet": [component("UNIT_MULT", "0")],
            "series": [{"id": "DECIMALS", "values": [{"name": "2"}]}],
            "dimensionGroup": [{"id": "TITLE"}],
            "observation": [component("OBS_STATUS", "E", "A")],
        },
    }
    dataset = {
        "action": "Information",
        "attributes": [0],
        "dimensionGroupAttributes": {":0:": ["Dollar"]},
        "series": {
            "0": {"attributes": [0], "observations": {"0": ["@1.10", 1], "1": [None, None]}},
            "1": {"attributes": [None], "observations": {"1": [float("nan")]}},
        },
    }
    if version == "draft":
        return {"header": {}, "structure": structure, "dataSets": [dataset]}
    if version == "1.0":
        return {"meta": {}, "data": {"structure": structure, "dataSets": [dataset]}}
    return {"meta": {}, "data": {"structures": [structure], "dataSets": [dataset]}}


def json_text(version: str) -> str:
    return json.dumps(json_message(version)).replace('"@1.10"', "1.10")


@pytest.mark.parametrize("version", ["draft", "1.0", "2.0"])
def test_json_of_each_version(con: duckdb.DuckDBPyConnection, tmp_path: Path, version: str) -> None:
    path = written(tmp_path, "message.json", json_text(version))
    assert read(con, path, RATES.layouts).rows.fetchall() == FOUND


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"dataSets"', '"sets"', "without 'dataSets'"),
        ('"structures"', '"structure"', "another structure"),
        ('"0": [1.10, 1]', '"7": [1.10, 1]', "another structure"),
        ('"0": [1.10, 1]', '"-1": [1.10, 1]', "'-1' in place of an index"),
        ('"0": [1.10, 1]', '"0:0": [1.10, 1]', "the key '0:0' for 1 dimensions"),
        ('"0": [1.10, 1]', '"1": [1.10, 1]', "the member '1' twice"),
        ("[1.10, 1]", "[{}, 1]", "{} in place of a number"),
        ("[1.10, 1]", "[Infinity, 1]", "Infinity, which JSON does not have"),
        ("[1.10, 1]", "[true, 1]", "True in place of a number"),
        ("[1.10, 1]", "110", "'110' in place of an observation's list"),
        ("[1.10, 1]", '{"a": 1}', "in place of an observation's list"),
        ('"FREQ"', '"currency"', "two dimensions of one column"),
        ('"Information"', '"Delete"', "deletes observations"),
        ('"meta": {}', '"meta": ' + "[" * 100_000, "another structure"),
        ("]]}}}]}}", "", "not JSON"),
        ('"CURRENCY"', '"MONEY"', "observation 1 without currency"),
    ],
)
def test_json_with_another_structure_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, old: str, new: str, found: str
) -> None:
    text = json_text("2.0")
    text = text[:-20] if not new and old not in text else text.replace(old, new, 1)
    problem = refusal(con, written(tmp_path, "message.json", text), RATES.layouts)
    assert problem.expected == "Rates, SDMX-JSON"
    assert found in problem.found


# SDMX-CSV


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("DATAFLOW,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE,OBS_STATUS", "X:D(1.0)"),
        ("DATAFLOW,freq,currency,TIME_PERIOD,OBS_VALUE,obs_status", "X:D(1.0)"),
        ("STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE,OBS_STATUS",
         "dataflow,X:D(1.0.0),I"),
    ],
    ids=["1.0", "1.0 in lower case", "2.0"],
)  # fmt: skip
def test_sdmx_csv_1_and_2(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, header: str, first: str
) -> None:
    text = f"{header}\n{first},A,USD,2018,1.10,E\n{first},A,USD,2019,,\n"
    found = read(con, written(tmp_path, "message.csv", text), RATES.layouts).rows
    assert found.select('currency, time_period, "value", obs_status, title, _row').fetchall() == [
        ("USD", "2018", "1.10", "E", None, 2),
        ("USD", "2019", None, None, None, 3),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FREQ,Currency,TIME_PERIOD,OBS_VALUE\nA,USD,2018,1\n", "'Currency' instead of 'CURRENCY'"),
        ("FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\nA,USD,2018\n", "Expected Number of Columns"),
        ("FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\nA,USD,2018,1", "the end "),
        ("ACTION,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\nD,A,USD,2018,\n", "deletes observations"),
        ("action,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\nD,A,USD,2018,\n", "deletes observations"),
        (" ACTION,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\n d,A,USD,2018,\n", "deletes observations"),
        ("FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\nA,,2018,1\n", "record 2 without currency"),
    ],
)
def test_a_csv_with_another_structure_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, text: str, found: str
) -> None:
    assert found in refusal(con, written(tmp_path, "message.csv", text), RATES.layouts).found


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><html><body>Maintenance</body></html>", b"Too many requests", b"\xff"]
)
def test_a_web_page_is_never_taken_for_an_sdmx_message(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, page: bytes
) -> None:
    path = tmp_path / "answer"
    path.write_bytes(page)
    assert refusal(con, path, RATES.layouts).what == "unknown layout"


# sdmx1 is the reference: both readers give the same observations


def as_sdmx1_reads(path: Path, columns: tuple[str, ...]) -> list[tuple[str | None, ...]]:
    """The observations of an SDMX-ML message by sdmx1: key and attributes of all levels, value."""
    sdmx = pytest.importorskip("sdmx", reason="sdmx1 is not installed")
    rows = []
    for dataset in sdmx.read_sdmx(path).data:
        for obs in dataset.obs:
            of = {**getattr(dataset, "attrib", {}), **obs.attrib}
            stated = {name: value.value for name, value in of.items()}
            stated |= {name: value.value for name, value in obs.key.values.items()}
            row = (stated.get(column) for column in columns)
            rows.append((*(None if cell is None else str(cell) for cell in row), obs.value))
    return rows


def as_read_here(
    con: duckdb.DuckDBPyConnection, path: Path, columns: tuple[str, ...], ids: tuple[str, ...]
) -> list[tuple[str | None, ...]]:
    attributes = tuple(column for column in columns if column not in (*ids, "TIME_PERIOD"))
    rows = read(con, path, SdmxDataset("Any", "any", ids, attributes).layouts).rows
    return rows.select(
        ", ".join(f'"{column.lower()}"' for column in columns) + ', "value"'
    ).fetchall()


def in_order(rows: list[tuple[str | None, ...]]) -> list[tuple[str | None, ...]]:
    return sorted(rows, key=lambda row: tuple(cell or "" for cell in row))


def test_a_made_up_message_is_read_as_sdmx1_reads_it(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = written(tmp_path, "generic.xml", generic(SERIES.partition("</g:Attributes>")[2]))
    columns = ("FREQ", "CURRENCY", "TIME_PERIOD", "TITLE", "DECIMALS", "OBS_STATUS")
    ours = as_read_here(con, path, columns, ("FREQ", "CURRENCY"))
    assert in_order(ours) == in_order(as_sdmx1_reads(path, columns))
    assert len(ours) == 3


# Real messages of other datasets


SPECIMENS = Path(os.environ.get("SDMX_TEST_DATA", "sdmx-test-data-not-there"))
needs_specimens = pytest.mark.skipif(
    not SPECIMENS.is_dir(), reason="SDMX_TEST_DATA names no folder with sdmx1's test data"
)
EXCHANGE = ("FREQ", "CURRENCY", "CURRENCY_DENOM", "EXR_TYPE", "EXR_VAR")


@needs_specimens
def test_one_real_dataset_is_the_same_in_every_form_of_sdmx_ml(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Exchange rates of the ECB: attributes in groups, series or observations; 12 observations."""
    columns = (*EXCHANGE, "TIME_PERIOD", "TITLE", "DECIMALS", "UNIT_MULT", "OBS_STATUS")
    forms = sorted(
        path
        for path in (SPECIMENS / "ECB_EXR").glob("?g-*.xml")
        # Two of the collection's files state 2010-08 where the others have 2010-10.
        if "structure" not in path.name and path.name not in ("rg-xs.xml", "sg-xs.xml")
    )
    assert len(forms) >= 18
    found = {}
    for path in forms:
        found[path.name] = in_order(as_read_here(con, path, columns, EXCHANGE))
        con.execute("drop table incoming")
    first = found["ng-ts.xml"]
    assert len(first) == 12
    assert {name for name, rows in found.items() if rows != first} == set()
    assert first[0][-1] == "1.3413"


@needs_specimens
@pytest.mark.parametrize("name", ["ng-ts", "rg-ts-gf", "sg-xs", "ng-flat"])
def test_a_real_generic_message_is_read_as_sdmx1_reads_it(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    path = SPECIMENS / "ECB_EXR" / f"{name}.xml"
    columns = (*EXCHANGE, "TIME_PERIOD", "OBS_STATUS")
    ours = in_order(as_read_here(con, path, columns, EXCHANGE))
    assert ours == in_order(as_sdmx1_reads(path, columns))


@needs_specimens
@pytest.mark.parametrize(
    ("name", "ids", "count", "one"),
    [
        ("ESTAT/NAMA_10_GDP-ss.xml", ("freq", "unit", "na_item", "geo"), 4, "54142.3"),
        ("ISTAT/22_289.xml", ("FREQ", "REF_AREA"), 8, "29131195"),
        ("IMF/PCPS.xml", ("FREQ", "REF_AREA", "COMMODITY"), 1, "2705.345"),
        ("INSEE/IPI-2010-A21.xml", ("FREQ",), 3230, "105.61"),
        ("v3/xml/ECB_EXR0.xml", ("FREQ", "CURRENCY"), 116, "1.583993822393823"),
        ("ECB_EXR/ts.json", ("FREQ", "CURRENCY"), 4, "40.3000"),
        ("ECB_EXR/flat.json", ("FREQ", "CURRENCY"), 4, "40.3000"),
        ("v3/json/data/exr-time-series.json", ("FREQ", "CURRENCY"), 4, "1.5931"),
        ("v3/json/data/exr-flat.json", ("FREQ", "CURRENCY"), 4, "1.5931"),
        ("v3/json/data/agri.json", ("FREQ", "REF_AREA"), 12, "5541.424"),
    ],
)
def test_a_real_message_is_read(
    con: duckdb.DuckDBPyConnection, name: str, ids: tuple[str, ...], count: int, one: str
) -> None:
    rows = read(con, SPECIMENS / name, SdmxDataset("Any", "any", ids).layouts).rows
    found = [value for (value,) in rows.select('"value"').fetchall()]
    assert len(found) == count
    assert one in found


@needs_specimens
def test_real_examples_of_sdmx_csv_2_0_are_read(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """The standard's examples call their time dimension DIM_3."""
    example = SPECIMENS / "v3" / "csv" / "example-01.csv"
    path = changed(tmp_path, example, b"DIM_3", b"TIME_PERIOD")
    dataset = SdmxDataset("Any", "any", ("DIM_1", "DIM_2"), ("ATTR_3", "DATAFLOW"))
    rows = read(con, path, dataset.layouts).rows.order("_row")
    assert rows.fetchone() == (
        *("A", "B", "2014-01", "Normal, special and other values", "ESTAT:NA_MAIN(1.6.0)"),
        *("OBS_VALUE", "12.4", None, 2),
    )
