"""The elder's phone in a real browser: a few taps to a meal, at every size, with and without
scripts; and the sizes and stillness the elder version promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from canteen.db import db, transaction
from canteen.orders.models import Order
from tests.browser.conftest import PATIENCE, PHONE, give_password, sign_in
from tests.factories import City, make_city, make_menu

pytestmark = pytest.mark.browser
SIZES = {"1": 22, "2": 26, "3": 30}
CONTROLS = "button:not([hidden]), .button, .big-choice, .order-card, .nav-link, summary, .input"
MEASURE = """(controls) => {
  const seen = [...document.querySelectorAll(controls)].filter((e) => e.getClientRects().length);
  const small = seen.map((e) => [e, e.getBoundingClientRect(),
      e.matches('.button-primary, .big-choice, .big-button') ? 60 : 44])
    .filter(([e, box, least]) => box.height < least || box.width < least)
    .map(([e, box]) => `${e.outerHTML.slice(0, 60)} ${box.width}x${box.height}`);
  const texts = [...document.querySelectorAll('main *')]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .filter((e) => e.getClientRects().length);
  return {
    small, wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    body: parseFloat(getComputedStyle(document.body).fontSize),
    least: Math.min(...texts.map((e) => parseFloat(getComputedStyle(e).fontSize))),
  };
}"""
WATCH = """() => {
  window.changed = 0;
  new MutationObserver((found) => { window.changed += found.length; })
    .observe(document.documentElement,
      {subtree: true, childList: true, attributes: true, characterData: true});
}"""


@pytest.fixture
def city(app: Flask) -> City:
    """Lunch tomorrow, which can be ordered at any hour of today."""
    city = make_city()
    with transaction():
        city.extra["items"] = make_menu(city.here, city.today + timedelta(days=1))
    return city


@pytest.fixture
def address(live: Callable[[], str]) -> str:
    """Where the service answers."""
    return live()


def phone(browser: Browser, **options: object) -> BrowserContext:
    """A phone held upright."""
    context = browser.new_context(
        viewport=PHONE, locale="zh-CN", timezone_id="Asia/Shanghai", **options
    )
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture
def home(browser: Browser, address: str, city: City) -> Iterator[Page]:
    """The elder's start on their phone."""
    context = phone(browser)
    page = context.new_page()
    sign_in(page, address, give_password(city.elder_actor.user_id or 0))
    yield page
    context.close()


def go(page: Page, selector: str) -> None:
    """Tap what leads to another page, and wait for it."""
    with page.expect_navigation():
        page.click(selector)


def walk(page: Page, city: City, scripts: bool = True) -> Iterator[str]:
    """From the start to the order's number, page by page."""
    yield "start"
    go(page, ".big-button")
    yield "where"
    go(page, f"a.big-choice:has-text('{city.here.name}')")
    yield "when"
    go(page, f"a.big-choice[href*='{city.today + timedelta(days=1)}'][href*='lunch']")
    yield "what"
    item = f"[id='item-{city.extra['items'][0].id}']"
    if scripts:
        page.wait_for_load_state("networkidle")  # the + waits for its script
        page.click(f".stepper:has({item}) button >> nth=1")
        expect(page.locator("[data-basket-sum]")).to_have_text("15.00")
    else:
        page.fill(item, "1")
    yield "chosen"
    go(page, ".sum-bar button")
    yield "how"
    go(page, ".big-choice >> nth=0")
    yield "summary"
    go(page, "button[value=cash]")
    yield "order"


def the_order() -> Order:
    db.session.rollback()
    return db.session.scalars(
        sa.select(Order).execution_options(populate_existing=True)
    ).one()


def test_seven_taps_order_a_meal_and_two_take_it_back(home: Page, city: City) -> None:
    for _ in walk(home, city):
        pass
    order = the_order()
    expect(home.locator(".ticket-number")).to_have_text(str(order.id))
    expect(home.locator(".price-pay")).to_contain_text("10.50")
    assert (order.state, order.channel) == ("placed", "elder")
    go(home, "a.button-stop")
    go(home, "button.button-stop-sure")
    expect(home.locator(".notice-done")).to_contain_text("已退订")
    assert the_order().state == "cancelled"


def test_a_meal_is_ordered_without_scripts(browser: Browser, address: str, city: City) -> None:
    context = phone(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("input[name=login]", give_password(city.elder_actor.user_id or 0))
    page.fill("input[name=password]", "plain rice at noon")
    go(page, "main form button")
    for _ in walk(page, city, scripts=False):
        pass
    assert the_order().payable_fen == 1050
    page.goto(f"{address}/canteens")
    go(page, f"a:has-text('{city.here.name}')")
    page.click("summary >> nth=0")
    expect(page.locator("h1")).to_contain_text(city.here.name)
    context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_keeps_its_sizes(
    home: Page, city: City, address: str, size: str, language: str
) -> None:
    home.context.add_cookies([
        {"name": "text_size", "value": size, "url": address},
        {"name": "lang", "value": language, "url": address},
    ])
    home.reload()

    def check(step: str) -> None:
        found = home.evaluate(MEASURE, CONTROLS)
        assert found["small"] == [], f"{step}: too small to tap"
        assert found["wide"] <= 0, f"{step}: wider than the phone"
        assert found["body"] == SIZES[size] and found["least"] >= 17.5, f"{step}: text too small"

    for step in walk(home, city):
        check(step)
    elder = f"{address}/home/elders/{city.elder.id}"
    for rest in ("/orders", "/card", "/card/loss", "/family", "/statements"):
        home.goto(elder + rest)
        check(rest)


def test_the_text_grows_at_a_tap_and_stays_so(home: Page) -> None:
    home.click("[data-text-size='3']")
    assert home.evaluate("getComputedStyle(document.body).fontSize") == "30px"
    home.reload()
    assert home.evaluate("getComputedStyle(document.body).fontSize") == "30px"


def test_nothing_changes_by_itself_while_one_reads(home: Page, city: City) -> None:
    for step in walk(home, city):
        home.wait_for_load_state("networkidle")
        if step in ("start", "what", "summary", "order"):
            home.evaluate(WATCH)
            home.wait_for_timeout(1200)
            assert home.evaluate("window.changed") == 0, step


def test_a_meal_is_ordered_by_keyboard_alone(home: Page, city: City) -> None:
    def press(name: str) -> None:
        """Tab until the thing with these words has the focus, then press Enter."""
        for _ in range(60):
            home.keyboard.press("Tab")
            words = home.evaluate("document.activeElement.innerText || ''")
            if name in words:
                with home.expect_navigation():
                    home.keyboard.press("Enter")
                return
        raise AssertionError(f"“{name}” cannot be reached by keyboard")

    press("点餐")
    press(city.here.name)
    press("明天")
    home.focus(f"[id='item-{city.extra['items'][0].id}']")
    home.keyboard.press("ArrowUp")
    press("选好了")
    press("自己来取")
    press("取餐时付")
    expect(home.locator(".ticket-number")).to_be_visible()
    assert the_order().payable_fen == 1050


def test_the_public_list_fits_a_phone_and_leads_to_the_menu(
    browser: Browser, address: str, city: City
) -> None:
    context = phone(browser)
    page = context.new_page()
    page.goto(address)
    expect(page.locator(".place-card")).to_have_count(2)
    page.fill("#text", city.here.name)
    page.press("#text", "Enter")
    expect(page.locator(".place-card")).to_have_count(1)
    go(page, ".place-card h2 a")
    expect(page.locator(".day")).to_have_count(2)
    go(page, "a:has-text('English')")
    expect(page.locator("h1")).to_contain_text(city.here.name)
    assert page.evaluate("document.documentElement.lang") == "en"
    for rest in ("/canteens", f"/canteens/{city.here.id}", "/subsidy"):
        page.goto(address + rest)
        assert page.evaluate(MEASURE, CONTROLS)["wide"] <= 0
    context.close()
