"""Chart families: their marks and gaps."""

import base64
import struct
from typing import Any

import altair as alt
import pytest
import vl_convert

from dagster_project.report.charts.picture import (
    both_sides,
    flows_over_time,
    markdown,
    png,
    shares_by_size,
)

YEARS: list[dict[str, Any]] = [
    {
        "member": "A",
        "period": "2015",
        "receipts_usd_m": 10,
        "payments_usd_m": 4,
        "balance_usd_m": 6,
    },
    {
        "member": "A",
        "period": "2016",
        "receipts_usd_m": None,
        "payments_usd_m": 5,
        "balance_usd_m": None,
    },
    {
        "member": "A",
        "period": "2018",
        "receipts_usd_m": 12,
        "payments_usd_m": 0,
        "balance_usd_m": 12,
    },
    {
        "member": "B",
        "period": "2016",
        "receipts_usd_m": 1,
        "payments_usd_m": None,
        "balance_usd_m": None,
    },
]


def values(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    """The amounts that a chart holds, one per row."""
    rows = chart.to_dict()["data"]["values"]
    return [
        amount
        for row in rows
        for amount in (
            [row]
            if "flow" in row
            else [
                {"member": row["member"], "flow": flow, "usd_m": row[f"{flow}_usd_m"]}
                for flow in ("receipts", "payments")
            ]
        )
    ]


def svg(chart: alt.TopLevelMixin) -> str:
    """The drawing as text, without the labels for screen readers, which repeat it."""
    spec = chart.to_dict()
    spec["config"]["aria"] = False
    return vl_convert.vegalite_to_svg(spec)


def test_missing_values_are_gaps_and_zero_is_zero() -> None:
    found = {
        (row["member"], row["year"], row["flow"]): row["usd_m"]
        for row in values(flows_over_time(YEARS, title="made up"))
    }
    assert [found["A", year, "receipts"] for year in (2015, 2016, 2017, 2018)] == [
        10,
        None,
        None,
        12,
    ]
    assert [found["A", year, "payments"] for year in (2015, 2016, 2017, 2018)] == [4, 5, None, 0]
    assert not any(member == "B" and year != 2016 for member, year, _ in found)


@pytest.mark.parametrize(
    ("periods", "years"),
    [
        (("2018-S1", "2019-S1"), [2018, 2018.5, 2019]),
        (("2018-Q3", "2019-Q1"), [2018.5, 2018.75, 2019]),
        (("2018-11", "2019-01"), [2018 + 10 / 12, 2018 + 11 / 12, 2019]),
    ],
)
def test_parts_of_a_year_are_where_they_begin(periods: tuple, years: list[float]) -> None:
    rows = [{"member": "A", "period": period, "receipts_usd_m": 1} for period in periods]
    chart = flows_over_time(rows, title="made up", flows=("receipts",))
    assert [row["year"] for row in values(chart)] == pytest.approx(years)
    assert [row["usd_m"] for row in values(chart)] == [1, None, 1]


def test_years_and_quarters_are_drawn_as_separate_lines() -> None:
    rows = [
        {"member": "A", "period": period, "receipts_usd_m": 1} for period in ("2018", "2018-Q1")
    ]
    with pytest.raises(ValueError, match="more than one frequency"):
        flows_over_time(rows, title="made up")


def test_members_keep_the_order_of_the_rows() -> None:
    rows = [{"member": name, "receipts_usd_m": 1, "payments_usd_m": None} for name in ("B", "A")]
    drawn = svg(both_sides(rows, title="made up"))
    assert 0 < drawn.index(">B</text>") < drawn.index(">A</text>")


def test_a_missing_side_is_described_as_not_stated() -> None:
    rows = [{"member": "A", "receipts_usd_m": 1, "payments_usd_m": None}]
    assert svg(both_sides(rows, title="made up")).count("not stated") == 1
    assert "not stated" not in svg(both_sides([{**rows[0], "payments_usd_m": 0}], title="made up"))


def test_sizes_are_stacked_in_their_order() -> None:
    rows = [
        {"group": "one", "size": "large", "figures": 3},
        {"group": "one", "size": "small", "figures": 1234},
    ]
    chart = shares_by_size(rows, ("small", "large"), title="made up")
    bar = chart.to_dict()["layer"][0]
    assert bar["encoding"]["order"] == {"field": "order", "type": "quantitative"}
    assert "1,237" in svg(chart)


def test_a_chart_says_what_it_shows() -> None:
    drawn = svg(flows_over_time(YEARS, title="Made-up title", about=["Source: made up"]))
    for text in ("Made-up title", "Source: made up", "receipts", "payments", "balance", "A", "B"):
        assert f">{text}</text>" in drawn


def test_the_picture_is_a_png_of_the_same_pixels_in_less_space() -> None:
    chart = flows_over_time(YEARS, title="made up")
    plain = vl_convert.vegalite_to_png(chart.to_dict())
    blank = vl_convert.vegalite_to_png(flows_over_time(YEARS[:1], title="").to_dict())
    image = png(chart)
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", image[16:24]) == struct.unpack(">II", plain[16:24])
    assert len(image) < len(plain)
    assert pixels(image) == pixels(plain) != pixels(blank)
    assert markdown(chart).startswith("![made up](data:image/png;base64,iVBORw0KGgo")


def pixels(image: bytes) -> bytes:
    """The pixels of a PNG file."""
    width, height = struct.unpack(">II", image[16:24])
    source = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
    return vl_convert.svg_to_png(f'{frame}<image width="{width}" href="{source}"/></svg>')
