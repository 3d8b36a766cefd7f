"""The report in a browser: charts are drawn, without an error or a network request."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dagster_project.base.settings import Settings
from dagster_project.transform.docs.dbt_docs import DBT_DOCS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
SIZES = {"desktop": (1200, 900), "phone": (390, 844)}
WIDTHS = (390, 1280, 1920)
# Returns the text boxes that visibly overlap. A box is clipped to what scrolls or hides it.
OVERLAPS = Path(__file__).with_name("overlaps.js").read_text("utf-8")
DRAWN = "document.querySelectorAll('[data-chart]:not([data-drawn])').length === 0"
PAGES = (
    "index",
    "studies/index",
    "studies/japan-2004",
    "studies/united-states-2025",
    "studies/china-2018",
    "reporters/index",
    "reporters/GBR",
    "reporters/JPN",
    "mirror",
    "revisions",
    "coverage",
    "dictionary/index",
    "dictionary/marts.mart_world_ranking",
    "sources",
    "downloads",
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.ui,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield launched
        launched.close()


def opened(
    browser: "Browser", settings: Settings, name: str, size: str
) -> "tuple[Page, list[str]]":
    """A page with all its charts drawn, and its problems: messages, requests to other hosts."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(60_000)
    problems: list[str] = []
    root = settings.report.resolve().as_uri()
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((root, "data:")) else problems.append(request.url)
        ),
    )
    page.goto(f"{root}/{name}.html")
    page.wait_for_function(DRAWN)
    return page, problems


@pytest.mark.parametrize("size", SIZES)
def test_charts_are_drawn_and_nothing_goes_wrong(
    browser: "Browser", real_report: Settings, size: str
) -> None:
    drawn = 0
    for name in PAGES:
        page, problems = opened(browser, real_report, name, size)
        assert problems == [], name
        for chart in page.locator("[data-chart]").all():
            marks = chart.locator("svg .mark-rect path, svg .mark-line path, svg .mark-symbol path")
            assert marks.count() > 0, name
            box = chart.locator("svg").bounding_box()
            assert box is not None, name
            assert min(box["width"] - 250, box["height"] - 40) > 0, f"{name}: {box}"
            drawn += 1
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0], name
        page.close()
    assert drawn >= 15


def test_no_text_is_on_other_text_at_any_width(browser: "Browser", real_report: Settings) -> None:
    root = real_report.report.resolve()
    page = browser.new_page()
    page.set_default_timeout(60_000)
    for path in sorted(root.rglob("*.html")):
        if path.name == DBT_DOCS:
            continue
        page.goto(path.as_uri())
        page.wait_for_function(DRAWN)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
            where = f"{path.relative_to(root)} at {width}"
            measured = page.evaluate(OVERLAPS)
            assert measured["overlaps"] == [], where
            assert measured["boxes"] > 10, where
            assert measured["width"] == width, where
    page.close()


def test_texts_that_overlap_are_found(browser: "Browser", real_report: Settings) -> None:
    page, _ = opened(browser, real_report, "studies/china-2018", "desktop")
    assert page.evaluate(OVERLAPS)["overlaps"] == []
    # Columns that are too narrow for their values, as in an earlier version.
    page.add_style_tag(
        content=".statement table { min-width: 0; width: 40rem; } .statement td { width: 10%; }"
    )
    assert page.evaluate(OVERLAPS)["overlaps"] != []
    page.close()


def test_the_keyboard_reaches_the_content_and_scrolling_elements(
    browser: "Browser", real_report: Settings
) -> None:
    page, _ = opened(browser, real_report, "studies/japan-2004", "phone")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    page.locator("#japan-balance details.numbers summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('scroll')")
    page.close()


def test_a_printed_page_has_charts_and_numbers_but_no_navigation(
    browser: "Browser", real_report: Settings
) -> None:
    page, _ = opened(browser, real_report, "studies/japan-2004", "desktop")
    page.emulate_media(media="print")
    assert not page.locator("header nav").is_visible()
    assert not page.locator("#japan-balance details.query").is_visible()
    assert page.locator("#japan-balance svg").is_visible()
    assert page.locator("#japan-balance table").is_visible()
    page.close()


def test_the_marked_year_is_the_first_of_the_surplus(
    browser: "Browser", real_report: Settings
) -> None:
    page, _ = opened(browser, real_report, "studies/japan-2004", "desktop")
    assert "2003: first surplus" in (page.locator("#japan-balance svg").text_content() or "")
    page.close()


def test_the_dictionary_leads_to_the_model_in_dbts_documentation(
    browser: "Browser", real_report: Settings
) -> None:
    page, problems = opened(browser, real_report, "dictionary/marts.mart_world_ranking", "desktop")
    page.locator("#lineage a").click()
    page.get_by_text("royalty_flows.marts.mart_world_ranking").wait_for()
    columns = page.locator("tr", has_text="receipts_usd_m").first
    assert "DECIMAL(18,6)" in columns.inner_text()
    page.close()
    # Its own pictures, requested under names that its scripts have not filled in yet.
    known = ("getIcon", "ERR_FILE_NOT_FOUND")
    assert [text for text in problems if not any(word in text for word in known)] == []
