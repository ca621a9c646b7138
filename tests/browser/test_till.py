"""The till's screens: scanner, fingers and keys, from a new tablet's code to the last count."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from canteen import clock
from canteen.db import db, transaction
from canteen.demo.provider import pretending
from canteen.elders.models import Elder
from canteen.menus.models import Dish
from canteen.payments.models import Charge
from canteen.tills import enrolling
from canteen.tills.models import Shift
from tests.browser.tills import CARD, PIN, entries, make_world, orders, said
from tests.factories import City, make_menu

pytestmark = pytest.mark.browser


@pytest.fixture
def city(app: Flask) -> City:
    """A canteen whose elder had the set here yesterday."""
    return make_world()


@pytest.fixture
def door(page: Page, live: Callable[[], str], city: City) -> Page:
    """The canteen's second tablet, made a till under the next free name; it waits for a PIN."""
    with transaction():
        first = enrolling.make_code(city.here.id, city.manager, clock.now())
        enrolling.enrol(first, "1 号收银机", "192.0.2.7")
        code = enrolling.make_code(city.here.id, city.manager, clock.now())
    page.goto(f"{live()}/till")
    page.fill("#code", code)
    page.click("#enrol")
    expect(page.locator(".who-tiles")).to_be_visible()
    expect(page.locator("#announcer")).to_be_empty()
    assert "2 号收银机" in [till.name for till in enrolling.tills_of(city.here.id)]
    return page


def come_in(page: Page, city: City, *, shift: bool = True) -> Page:
    """The cashier taps their name and PIN and opens a shift with 200 yuan."""
    page.click(f"#cashier-{city.cashier.user_id}")
    page.locator(".keypad").wait_for()
    page.keyboard.type(PIN)
    expect(page.locator("#float")).to_be_visible()
    if shift:
        page.click("#float-200")
        page.click("#open-shift")
        expect(page.locator(".sale")).to_be_visible()
        page.click("#meal-lunch")
    return page


@pytest.fixture
def till(door: Page, city: City) -> Page:
    """The till, open at lunch."""
    return come_in(door, city)


def scan(page: Page, text: str) -> None:
    """A scanner types fast and ends with Enter, wherever the focus is."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def add(city: City, number: int) -> str:
    return f"#add-{city.items[number].id}"


def all_sent(page: Page) -> None:
    expect(page.locator("#waiting")).to_have_text(re.compile(r"待上传 0|0 to send"))


def test_a_regular_with_the_usual_set_is_two_actions(till: Page, city: City) -> None:
    scan(till, CARD)
    expect(till.locator("#diner")).to_contain_text("赵和平")
    expect(till.locator("#diner .week-dots")).to_contain_text("/5")
    expect(till.locator(".price-pay")).to_contain_text("10.50")
    expect(till.locator(".price-subsidy .price-payer")).to_contain_text("市级")
    till.keyboard.press("Enter")
    expect(till.locator(".end-change")).to_contain_text("10.50")
    all_sent(till)
    assert [(one.payable_fen, one.subsidy_fen, one.state) for one in orders()] == [
        (1050, 300, "served")
    ]
    entry = said(entries()[-1])
    assert (entry["how"], entry["elder"]) == ("card", city.elder.id)


def test_the_change_stands_large_and_the_next_diner_is_met_meanwhile(
    till: Page, city: City
) -> None:
    till.click("#other")
    till.click(add(city, 0))
    till.click("#received-10000")
    expect(till.locator("#change")).to_contain_text("85.00")
    till.click("#sell")
    change = till.locator(".end-change strong")
    expect(change).to_contain_text("85.00")
    assert change.evaluate("(node) => parseFloat(getComputedStyle(node).fontSize)") >= 60
    scan(till, CARD)
    expect(till.locator("#diner")).to_contain_text("赵和平")
    expect(till.locator(".last-strip")).to_contain_text("85.00")
    assert orders()[0].elder_id is None and orders()[0].payable_fen == 1500


def test_a_dish_the_elder_must_not_have_waits_for_a_second_tap_that_names_it(
    door: Page, city: City
) -> None:
    with transaction():
        db.session.get_one(Elder, city.elder.id).diet_notes = "花生过敏"
        dish = db.session.get_one(Dish, city.items[1].dish_id)
        dish.marks = ["peanut"]
    till = come_in(door, city)
    scan(till, CARD)
    expect(till.locator(".diet-no")).to_contain_text("花生")
    till.click(add(city, 1))
    expect(till.locator("#conflict")).to_contain_text("花生")
    till.keyboard.press("Enter")
    expect(till.locator("#sell")).to_have_count(0)
    assert orders() == []
    override = till.locator("#override")
    expect(override).to_contain_text(dish.name)
    override.click()
    till.click("#sell")
    expect(till.locator("#next-diner")).to_be_visible()
    all_sent(till)
    assert said(entries()[-1])["overrode"] == ["peanut"]


def test_everything_from_finding_to_the_next_diner_by_keys_alone(till: Page, city: City) -> None:
    till.keyboard.press("/")
    expect(till.locator("#find")).to_be_focused()
    till.keyboard.type("zhp", delay=200)
    till.keyboard.press("Enter")
    one = till.locator(f"#elder-{city.elder.id}")
    expect(one.or_(till.locator("#diner"))).to_be_visible()
    if one.is_visible():
        till.keyboard.press("1")
    expect(till.locator("#diner")).to_contain_text("赵和平")
    till.keyboard.press("2")
    expect(till.locator(".basket-line")).to_have_count(2)
    till.keyboard.press("+")
    expect(till.locator(f"#more-{city.items[1].id}")).to_be_visible()
    expect(till.locator(".less-more-count").nth(1)).to_have_text("2")
    till.keyboard.press("-")
    expect(till.locator(".less-more-count").nth(1)).to_have_text("1")
    till.keyboard.press("Enter")
    expect(till.locator("#next-diner")).to_be_visible()
    till.keyboard.press("Enter")
    expect(till.locator("#next-diner")).to_have_count(0)
    till.keyboard.press("F4")
    expect(till.locator("#diner")).to_contain_text("其他食客")
    till.keyboard.press("Escape")
    expect(till.locator("#diner")).to_have_count(0)
    till.keyboard.press("?")
    expect(till.locator("#help")).to_contain_text("F4")
    till.keyboard.press("Escape")
    expect(till.locator("#help")).to_have_count(0)
    assert len(orders()) == 1


def test_a_scanner_is_heard_from_any_field_and_leaves_nothing_in_it(
    till: Page, city: City
) -> None:
    till.click("#other")
    till.click(add(city, 0))
    till.fill("#received", "20")
    scan(till, CARD)
    expect(till.locator("#diner")).to_contain_text("赵和平")
    expect(till.locator("#received")).to_have_value("20")


def test_a_double_tap_sells_once(till: Page, city: City) -> None:
    till.click("#other")
    till.click(add(city, 0))
    expect(till.locator("#sell")).to_contain_text("15.00")
    till.evaluate("() => { const b = document.getElementById('sell'); b.click(); b.click(); }")
    expect(till.locator("#next-diner")).to_be_visible()
    all_sent(till)
    assert len(orders()) == 1


def test_sold_out_in_one_tap_and_undone_in_another(till: Page, city: City) -> None:
    till.click(f"#out-{city.items[0].id}")
    expect(till.locator(add(city, 0))).to_be_disabled()
    till.click("#undo")
    expect(till.locator(add(city, 0))).to_be_enabled()


def test_a_sale_is_taken_back_in_two_taps_with_its_reason(till: Page, city: City) -> None:
    left = till.locator(".dish .tile-left").first
    before = left.inner_text()
    scan(till, CARD)
    expect(till.locator(".price-pay")).to_contain_text("10.50")
    till.keyboard.press("Enter")
    expect(till.locator("#next-diner")).to_be_visible()
    expect(left).not_to_contain_text(before)
    till.click("#tab-today")
    row = till.locator(".sold").first
    expect(row).to_contain_text("已上传")
    # As behind another window: what is left is not asked of the server meanwhile.
    till.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    row.locator("button", has_text="作废").click()
    till.click("#reason-mistake")
    expect(row).to_contain_text("已作废")
    all_sent(till)
    assert [one.state for one in orders()] == ["cancelled"]
    assert said(entries()[-1])["reason_code"] == "mistake"
    till.click("#tab-sale")
    expect(left).to_contain_text(before)
    scan(till, CARD)
    expect(till.locator("#diner .week-dots")).to_contain_text("还有")
    expect(till.locator(".price-pay")).to_contain_text("10.50")


def test_without_a_network_it_says_so_sells_and_sends_later(
    till: Page, context: BrowserContext, city: City
) -> None:
    context.set_offline(True)
    expect(till.locator("#network")).to_contain_text("离线")
    scan(till, CARD)
    expect(till.locator(".offline-note")).to_contain_text("离线")
    expect(till.locator(".price-pay")).to_contain_text("10.50")
    till.keyboard.press("Enter")
    expect(till.locator(".end-is-kept")).to_contain_text("联网后自动上传")
    expect(till.locator("#waiting")).to_contain_text("1")
    assert orders() == []
    context.set_offline(False)
    all_sent(till)
    assert [one.payable_fen for one in orders()] == [1050]


def test_a_shift_is_counted_blind_and_a_locked_till_keeps_its_door(
    till: Page, city: City
) -> None:
    till.click("#tab-cash")
    till.click("#kind-to_safe")
    till.locator(".key", has_text="5").click()
    till.locator(".key", has_text="0").click()
    till.click("#move")
    expect(till.locator(".toast")).to_contain_text("50.00")
    till.click("#go-close-drawer")
    expect(till.locator("main")).not_to_contain_text("150.00")
    till.fill("#piece-10000", "1")
    till.fill("#piece-5000", "1")
    expect(till.locator("#counted")).to_contain_text("150.00")
    till.fill("#left", "100")
    till.click("#close-shift")
    expect(till.locator(".closed-shift")).to_contain_text("一分不差")
    all_sent(till)
    db.session.rollback()
    shift = db.session.query(Shift).one()
    assert (shift.float_fen, shift.counted_fen, shift.closed_at is not None) == (20000, 15000, True)
    till.click("#closed-done")
    till.click("#lock")
    expect(till.locator(".who-tiles")).to_be_visible()


def test_practice_asks_the_server_nothing(door: Page, city: City) -> None:
    door.click("#practise")
    expect(door.locator(".practice-band")).to_be_visible()
    door.wait_for_load_state("networkidle")
    asked: list[str] = []
    door.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    door.click("#float-200")
    door.click("#open-shift")
    scan(door, "lxy")
    door.click("#other")
    door.locator(".dish-add").first.click()
    door.click("#sell")
    expect(door.locator("#next-diner")).to_be_visible()
    quiet = ("/till/hello", "/till/live", "/static/")
    assert [one for one in asked if not any(part in one for part in quiet)] == []
    assert not [one for one in asked if one.startswith("POST")]
    assert orders() == []
    door.click("#end-practice")
    expect(door.locator(".who-tiles")).to_be_visible()


def test_everything_is_in_sight_on_both_tablets_in_both_languages(till: Page, city: City) -> None:
    with transaction():
        make_menu(city.here, city.today, "dinner")
    till.click(add(city, 0))
    till.click("#other")
    till.click("#received-10000")
    for _ in ("zh", "en"):
        for width, height in ((1280, 800), (1024, 768)):
            till.set_viewport_size({"width": width, "height": height})
            for part in ("#find", "#sell", ".price-pay", "#received", "#change", "#network"):
                box = till.locator(part).bounding_box()
                assert box is not None, part
                assert box["y"] + box["height"] <= height + 1, part
                assert box["x"] + box["width"] <= width + 1, part
            assert till.evaluate("document.documentElement.scrollWidth") <= width
            small = till.evaluate(
                """() => [...document.querySelectorAll("button, a[href], input")]
                  .filter((one) => one.offsetParent && !one.closest(".visually-hidden, .skip-link"))
                  .map((one) => [one.id || one.textContent, one.getBoundingClientRect()])
                  .filter(([, box]) => box.width && (box.height < 47.5 || box.width < 47.5))
                  .map(([name]) => name)"""
            )
            assert small == []
        till.click("#more")
        till.click("#language")
        till.keyboard.press("Escape")
    expect(till.locator("#sell")).to_contain_text("收")
    till.set_viewport_size({"width": 390, "height": 844})
    assert till.evaluate("document.documentElement.scrollWidth") <= 390
    box = till.locator("#sell").bounding_box()
    assert box is not None and box["y"] + box["height"] <= 844
    for hour, notices in ((22, 1), (12, 0)):  # outside its hours the meal is sold with a word
        till.clock.set_fixed_time(datetime.combine(city.today, time(hour, 5), clock.SHANGHAI))
        till.click("#meal-lunch")
        expect(till.locator("#outside")).to_have_count(notices)


def test_a_payment_by_phone_is_waited_for_beside_the_next_diner(
    till: Page, city: City, tmp_path: Path
) -> None:
    with pretending(tmp_path / "provider.db") as provider:
        till.click("#other")
        till.click(add(city, 0))
        till.click("#payment-mixed")
        till.fill("#cash-part", "5")
        expect(till.locator("#sell")).to_contain_text("10.00")
        till.click("#sell")
        expect(till.locator(".pay-code .qr path").first).to_be_attached()
        scan(till, CARD)
        strip = till.locator(".last-strip")
        expect(strip).to_contain_text("待付 10.00")
        db.session.rollback()
        provider.pay(db.session.scalar(sa.select(Charge.provider_id)) or "")
        expect(strip).to_contain_text("已收")
    paid = orders()[0]
    assert (paid.state, paid.cash_fen, paid.payable_fen) == ("served", 500, 1500)
