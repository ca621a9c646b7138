"""The till in a real browser: scanner, fingers, keyboard, a shaky network, and no scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect

from canteen.db import db, transaction
from canteen.orders.models import Order
from tests.browser.conftest import TABLET, give_password, sign_in
from tests.factories import City, make_city, make_elder, make_menu

pytestmark = pytest.mark.browser


@pytest.fixture
def city(app: Flask) -> City:
    """A city whose canteen serves all day."""
    city = make_city()
    with transaction():
        for meal in ("breakfast", "dinner"):
            make_menu(city.here, city.today, meal)
    return city


@pytest.fixture
def till(page: Page, live: Callable[[], str], city: City) -> Page:
    """The cashier's tablet, open at lunch."""
    address = live()
    sign_in(page, address, give_password(city.cashier.user_id or 0))
    page.goto(f"{address}/till?meal=lunch")
    return page


def sold() -> list[Order]:
    db.session.rollback()
    found = db.session.scalars(
        sa.select(Order).order_by(Order.id).execution_options(populate_existing=True)
    )
    return list(found)


def test_a_scanned_elder_a_tapped_set_and_cash_make_a_sale(till: Page, city: City) -> None:
    expect(till.locator("#find")).to_be_focused()
    till.keyboard.type(f"1000{city.elder.id:06d}", delay=5)  # as a scanner types
    till.keyboard.press("Enter")
    expect(till.locator("#diner")).to_contain_text("赵和平")
    till.click(f"#add-{city.items[0].id}")
    expect(till.locator(".price-pay")).to_contain_text("10.50")
    expect(till.locator(".sale-order")).to_contain_text("80周岁")
    till.click("#received-2000")
    expect(till.locator("#change")).to_contain_text("9.50")
    till.click("#sell")
    expect(till.locator(".receipt-change")).to_contain_text("9.50")
    expect(till.locator(".receipt")).to_contain_text("已用 1 / 5")
    till.click("#next-diner")
    expect(till.locator("#find")).to_be_focused()
    assert [order.payable_fen for order in sold()] == [1050]


def test_quick_taps_all_count_and_the_sale_waits_for_their_price(till: Page, city: City) -> None:
    till.click("#other")
    expect(till.locator("#diner")).to_be_visible()
    till.click(f"#add-{city.items[0].id}")
    expect(till.locator("#sell")).to_contain_text("15.00")
    till.route("**/till", lambda route: slowly(till, route))
    till.evaluate(
        """(ids) => ids.forEach((id) => document.getElementById(id).click())""",
        [f"add-{city.items[1].id}"] * 3 + ["sell"],
    )
    till.wait_for_url("**/receipt*")
    assert [order.list_fen for order in sold()] == [3 * 300 + 1500]


def slowly(page: Page, route: Route) -> None:
    page.wait_for_timeout(150)
    route.continue_()


def test_a_double_tap_sells_once(till: Page, city: City) -> None:
    till.click("#other")
    till.click(f"#add-{city.items[0].id}")
    expect(till.locator("#sell")).to_contain_text("15.00")
    till.dblclick("#sell")
    till.wait_for_url("**/receipt*")
    assert len(sold()) == 1


def test_a_scanner_is_heard_wherever_the_finger_was_last(till: Page, city: City) -> None:
    till.click(f"#add-{city.items[0].id}")
    expect(till.locator(".price-pay")).to_contain_text("15.00")
    till.locator("#meal-lunch").focus()
    till.keyboard.type(f"1000{city.elder.id:06d}")
    till.keyboard.press("Enter")
    expect(till.locator("#diner")).to_contain_text("赵和平")
    expect(till.locator(".price-pay")).to_contain_text("10.50")
    till.locator("#received").fill("")
    with transaction():
        other = make_elder(name="王桂英", sequence=9)
    till.locator("#received").focus()
    till.keyboard.type(f"1000{other.id:06d}")
    till.keyboard.press("Enter")
    expect(till.locator("#diner")).to_contain_text("王桂英")


def test_a_tap_that_did_not_arrive_is_said_and_works_again(till: Page, city: City) -> None:
    till.click("#other")
    expect(till.locator("#diner")).to_be_visible()
    till.context.set_offline(True)
    till.click(f"#add-{city.items[0].id}")
    expect(till.locator("#not-connected")).to_be_visible()
    till.context.set_offline(False)
    till.click(f"#add-{city.items[1].id}")
    expect(till.locator(".price-pay")).to_contain_text("18.00")


def test_everything_is_in_sight_on_both_tablets_in_both_languages(till: Page, city: City) -> None:
    till.click(f"#add-{city.items[0].id}")
    expect(till.locator(".price-pay")).to_contain_text("15.00")
    for width, height in ((1280, 800), (1024, 768)):
        till.set_viewport_size({"width": width, "height": height})
        for language in ("zh", "en"):
            here = till.url.partition("/till")[0]
            till.goto(f"{here}/language/{language}?next=/till")
            till.click(f"#add-{city.items[0].id}")
            till.click("#other")
            expect(till.locator("#diner")).to_be_visible()
            for part in ("#find", "#sell", ".price-pay", "#received"):
                box = till.locator(part).bounding_box()
                assert box is not None, part
                assert box["y"] + box["height"] <= height and box["x"] + box["width"] <= width, part
            assert till.evaluate("document.documentElement.scrollWidth") <= width


def test_the_till_sells_without_any_script(
    browser: Browser, live: Callable[[], str], city: City
) -> None:
    address, login = live(), give_password(city.cashier.user_id or 0)
    context = browser.new_context(viewport=TABLET, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address, login)
    page.fill("#find", "zhp")
    page.press("#find", "Enter")
    page.click(f"#elder-{city.elder.id}")
    page.click("#meal-lunch")
    page.click(f"#add-{city.items[0].id}")
    page.click("#sell")
    expect(page.locator(".receipt")).to_contain_text("10.50")
    context.close()
    assert [order.payable_fen for order in sold()] == [1050]
