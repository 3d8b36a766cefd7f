"""The dashboard in a real browser, as it opens: charts are drawn, with no request elsewhere."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Response, expect, sync_playwright

from tests.superset.conftest import PYTHON, Superset
from tests.ui.test_ui import CHROMIUM, FLAGS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.ui,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH (Debian: chromium)"),
    pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-superset (make superset-env)"),
    pytest.mark.xdist_group("superset"),
]

TABS = {"World": 3, "Over time": 2, "One economy": 6, "Can it be trusted?": 6}  # charts on each
DRAWN = "canvas, table"


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[f"--{flag}" for flag in FLAGS.split()]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 3200})  # all of a tab
        page.set_default_timeout(120_000)
        yield page
        browser.close()


def test_every_chart_is_drawn_and_no_request_leaves_the_machine(
    superset: Superset, page: Page
) -> None:
    left: list[str] = []  # those that the browser refuses to send do not finish
    answers: list[Response] = []
    page.on(
        "requestfinished",
        lambda sent: (
            None if sent.url.startswith((superset.address, "data:")) else left.append(sent.url)
        ),
    )
    page.on("response", lambda got: answers.append(got) if "/chart/data" in got.url else None)
    page.goto(f"{superset.address}/login/")
    page.fill("#username", "admin")
    page.fill("#password", superset.password)
    page.click("button[type=submit]")
    page.wait_for_url("**/welcome/**")
    page.goto(f"{superset.address}/superset/dashboard/balances/")
    for tab, charts in TABS.items():
        page.locator(".ant-tabs-tab", has_text=re.compile(f"^{re.escape(tab)}")).first.click()
        shown = page.locator(".slice_container:visible")
        expect(shown).to_have_count(charts, timeout=120_000)
        for number in range(charts):
            expect(shown.nth(number).locator(DRAWN).first).to_be_visible(timeout=120_000)
    assert len(answers) >= sum(TABS.values())
    for answer in answers:
        assert answer.status == 200
        assert all(result["rowcount"] for result in answer.json()["result"]), answer.json()
    assert [url for url in left if not url.startswith((superset.address, "data:", "blob:"))] == []
