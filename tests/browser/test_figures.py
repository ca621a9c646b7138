"""The figures and the papers of the desk in a real browser: drawn, readable, taken along."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from canteen.papers import fonts
from canteen.settlements.models import Statement
from tests.browser.conftest import PHONE, TABLET, give_password, sign_in
from tests.factories import City
from tests.settlements.factories import close, little_month, statement_of

pytestmark = pytest.mark.browser
FIGURES = "/bureau/figures?from=2026-05&to=2026-10"


@pytest.fixture
def city(app: Flask) -> City:
    """A closed month."""
    city = little_month()
    close()
    return city


@pytest.fixture
def statement(city: City) -> Statement:
    """The statement of the first canteen."""
    return statement_of(city.here)


@pytest.fixture
def desk(page: Page, live: Callable[[], str], city: City, statement: Statement) -> Page:
    """The city's officer, signed in; what the browser complains of fails the test."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    address = live()
    sign_in(page, address, give_password(city.extra["hands"].city.user_id))
    page.goto(address + FIGURES)
    yield page
    assert complaints == []


def letters(page: Page) -> list[float]:
    """How high the letters of the charts on show really are, in pixels."""
    return page.evaluate("""() => [...document.querySelectorAll('.chart-drawing')]
        .filter(svg => svg.getBoundingClientRect().width)
        .map(svg => 14 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)""")


@pytest.mark.parametrize("size", [TABLET, {"width": 1024, "height": 768}, PHONE])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_charts_are_readable_on_every_screen_and_coloured_in_spite_of_the_strict_page(
    desk: Page, size: dict[str, int], language: str
) -> None:
    desk.set_viewport_size(size)
    desk.context.add_cookies([{"name": "lang", "value": language, "url": desk.url}])
    desk.reload()
    drawn = letters(desk)
    assert len(drawn) == 9 and min(drawn) >= 12 and max(drawn) <= 21
    assert desk.evaluate("document.documentElement.scrollWidth") <= size["width"]
    bar = desk.locator(".tone-jade rect").first
    assert bar.evaluate("bar => getComputedStyle(bar).fill") == "rgb(10, 92, 69)"
    said = {"zh": "每月补贴餐次", "en": "Subsidised meals, by month"}[language]
    expect(desk.get_by_role("img", name=said)).to_be_visible()
    desk.locator(".figures-table summary").first.click()
    expect(desk.locator("table").first).to_be_visible()
    assert desk.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_the_page_passes_the_accessibility_checker(desk: Page, browser: Browser) -> None:
    # The checker is a script put into the page, which our own policy would stop.
    looser = browser.new_context(bypass_csp=True, storage_state=desk.context.storage_state())
    page = looser.new_page()
    page.goto(desk.url)
    found = Axe().run(page).response["violations"]
    looser.close()
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_what_is_taken_along_arrives_with_its_chinese_name(
    desk: Page, statement: Statement, city: City
) -> None:
    with desk.expect_download() as waiting:
        desk.get_by_role("button", name="导出 XLSX").click()
    assert waiting.value.suggested_filename == "数据_2026-05_2026-10.xlsx"
    with desk.expect_download() as waiting:  # the page stays, and its forms may be sent again
        desk.get_by_role("button", name="导出 XLSX").click()
    desk.goto(desk.url.replace(FIGURES, f"/bureau/statements/{statement.id}"))
    try:
        fonts.files()
    except fonts.NoChineseFont:
        pytest.skip("no Chinese font here")
    with desk.expect_download() as waiting:
        desk.get_by_role("button", name="PDF").click()
    name = waiting.value.suggested_filename
    assert name == f"结算单_{statement.id}_{city.here.name}_2026年10月.pdf"
    assert waiting.value.path().read_bytes().startswith(b"%PDF-")
