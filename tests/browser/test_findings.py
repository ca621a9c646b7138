"""Findings in a browser: from the work list to the evidence, decided, and told to the operator."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from canteen.db import transaction
from tests.browser.conftest import give_password, sign_in
from tests.checks.world import make_world, run
from tests.factories import make_fact
from tests.settlements.factories import close, hands_over

pytestmark = pytest.mark.browser


def test_a_held_meal_is_found_decided_and_told_to_the_operator(
    app: Flask, live, page: Page
) -> None:
    world = make_world()
    with transaction():
        hands = hands_over(world.here)
        gone = world.elder()
        make_fact(gone, "status", "deceased", date(2026, 10, 5))
        world.meal(gone)
    run("deceased")
    close()
    address = live()
    sign_in(page, address, give_password(hands.district.user_id))
    page.goto(f"{address}/bureau")
    page.get_by_text("条疑点暂扣着钱").click()
    page.get_by_role("link", name="身故后用餐").click()
    expect(page.get_by_text("老人已于2026年10月5日(周一)去世")).to_be_visible()
    page.locator("input[value=deny]").check()
    page.get_by_label("理由").fill("家属确认，卡由他人代刷")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("原已暂扣，不再计入2026年10月的结算单")).to_be_visible()
    expect(page.locator(".steps").get_by_text("家属确认，卡由他人代刷")).to_be_visible()
    page.get_by_role("button", name="退出").click()
    sign_in(page, address, give_password(hands.operator.user_id))
    page.goto(f"{address}/operator/money")
    expect(page.get_by_text("核减：1 餐")).to_be_visible()
