"""The desk in a real browser: a month approved by ticking, a return typed, a meal explained."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from canteen.db import db
from canteen.money import yuan
from tests.browser.conftest import PHONE, give_password, sign_in
from tests.factories import City
from tests.settlements.factories import close, little_month, pass_on, statement_of

pytestmark = pytest.mark.browser


@pytest.fixture
def city(app: Flask) -> City:
    """A closed month that its operator has confirmed."""
    city = little_month()
    close()
    pass_on([statement_of(city.here).id], city.extra["hands"], upto="operator")
    return city


@pytest.fixture
def street(page: Page, live: Callable[[], str], city: City) -> Page:
    """The street officer at the work list."""
    address = live()
    sign_in(page, address, give_password(city.extra["hands"].street.user_id))
    page.goto(f"{address}/bureau")
    return page


def stage_of(city: City) -> str:
    db.session.rollback()
    return statement_of(city.here).stage


def test_the_street_finds_its_work_reads_a_meal_and_approves(street: Page, city: City) -> None:
    street.click("text=张结算单待审核")
    street.check(f"input[aria-label*='{city.here.name}']")
    total = yuan(statement_of(city.here).total_fen).replace(",", "")
    expect(street.locator("[data-pick-sum]")).to_have_text(total)
    street.click(f"main a:has-text('{city.here.name}')")
    street.click("section[aria-labelledby=days] tbody a >> nth=0")
    street.click("main tbody th a >> nth=0")
    expect(street.locator(".price-strip")).to_contain_text("市级 1.50")
    expect(street.locator(".reasons")).to_contain_text("80周岁")
    street.go_back()
    street.go_back()
    street.click("button:has-text('核准')")
    street.click("dialog[open] .button-primary")
    expect(street.locator(".notice-done")).to_contain_text("区民政局")
    expect(street.locator("[aria-current=step]")).to_contain_text("南开区")
    assert stage_of(city) == "district"


def test_nothing_goes_back_without_a_reason_and_the_dialog_gives_way(
    street: Page, city: City
) -> None:
    street.click("main tbody a >> nth=0")
    street.click("a:has-text('退回')")
    dialog = street.locator("dialog#return")
    expect(dialog).to_be_visible()
    dialog.locator("button:has-text('退回')").click()  # the empty reason keeps it open
    expect(dialog).to_be_visible()
    street.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert stage_of(city) == "street"
    street.click("a:has-text('退回')")
    dialog.locator("textarea").fill("10月3日与签到表不符")
    dialog.locator("button:has-text('退回')").click()
    expect(street.locator(".notice-done")).to_be_visible()
    expect(street.locator(".steps")).to_contain_text("10月3日与签到表不符")
    assert stage_of(city) == "operator"


def test_a_statement_is_approved_on_a_phone_without_scripts(
    browser: Browser, live: Callable[[], str], city: City
) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    address = live()
    sign_in(page, address, give_password(city.extra["hands"].street.user_id))
    page.goto(f"{address}/bureau/statements")
    page.check(f"input[aria-label*='{city.here.name}']")
    page.click("button:has-text('核准选中的')")
    expect(page.locator(".notice-done")).to_be_visible()
    assert stage_of(city) == "district"
    page.goto(f"{address}/bureau/statements/{statement_of(city.here).id}")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()
