"""Four yuan from 75, drafted at the desk and tried on past meals: the chart that decides it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from canteen import background
from canteen.db import db, transaction
from canteen.demo import city
from canteen.money import yuan
from canteen.subsidies.models import PolicyDraft
from canteen.tasks.models import Task
from tests.browser.conftest import PHONE, give_password, sign_in
from tests.factories import make_user

pytestmark = pytest.mark.browser
TODAY = date(2026, 11, 4)
FIRST = date(2026, 9, 1)
PLAN = city.Plan(canteens=18, elders=160, days=(TODAY - FIRST).days, seed=11, today=TODAY)
SHEETS = ("by_month", "by_funder", "by_district", "by_band", "by_tier")


@pytest.fixture
def officer(app: Flask) -> int:
    """Somebody of the city's office, over two months of meals."""
    with transaction():
        city.make_world(PLAN, lambda: None)
        return make_user("city", territory_code="120000").id


def drafted(page: Page, address: str, **numbers: str) -> None:
    """Start a draft from the policy in force and change a few numbers by their labels."""
    page.goto(f"{address}/bureau/drafts")
    page.click("button:has-text('起草') >> nth=0")
    for name, value in numbers.items():
        page.fill(f"[id='{name}']", value)
    page.click("button:has-text('保存')")
    expect(page.locator(".notice-done")).to_contain_text("草案已保存")


def narrow_enough(page: Page) -> None:
    """Nothing sticks out to the side."""
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0


def fits(page: Page) -> None:
    """The page is narrow enough, and every chart that is shown has its marks."""
    narrow_enough(page)
    for code in SHEETS:
        shown = page.locator(f"#{code} svg.chart-drawing:visible")
        expect(shown).to_have_count(1)
        assert shown.locator(".series").count() >= 2


def picture(page: Page, folder: Path, name: str) -> None:
    """For whoever looks at the pages: pytest --basetemp keeps them."""
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def test_four_yuan_from_75_as_a_chart(
    page: Page, browser: Browser, live: Callable[[], str], officer: int, tmp_path: Path
) -> None:
    address = live()
    login = give_password(officer)
    sign_in(page, address, login)
    four = {"eligibility.0.min_age": "75", "layers.0.amount.fen": "4", "note": "75岁起4元"}
    drafted(page, address, **four)
    expect(page.locator("#differences")).to_contain_text("75周岁及以上")
    expect(page.locator("#differences")).to_contain_text("每餐 4.00 元")
    picture(page, tmp_path, "draft")
    page.click("a:has-text('拿过去的餐试算')")
    page.fill("#first", FIRST.isoformat())
    page.fill("#last", (TODAY - timedelta(days=1)).isoformat())
    page.click("button:has-text('开始试算')")
    expect(page.locator("#task")).to_be_visible()
    assert background.run_tasks()
    page.click("a:has-text('查看结果')")
    task = db.session.query(Task).one()
    now, then = task.result["outcomes"]
    expect(page.locator("#totals tfoot")).to_contain_text(yuan(now["total"]["total_fen"]))
    expect(page.locator("#totals tfoot")).to_contain_text(yuan(then["total"]["total_fen"]))
    assert then["total"]["total_fen"] > now["total"]["total_fen"]
    expect(page.locator("#by_month .chart-key")).to_contain_text("75岁起4元")
    expect(page.locator("#by_month tbody tr")).to_have_count(3)
    result = page.url
    fits(page)
    picture(page, tmp_path, "tablet-zh")
    page.click("a:has-text('English')")
    page.goto(result)
    expect(page.locator("h1")).to_have_text("What it would cost")
    fits(page)
    picture(page, tmp_path, "tablet-en")
    phone = browser.new_context(viewport=PHONE, locale="zh-CN", java_script_enabled=False)
    small = phone.new_page()
    sign_in(small, address, login)
    small.goto(result)
    picture(small, tmp_path, "phone-zh")
    phone.close()


def test_two_drafts_side_by_side(
    page: Page, live: Callable[[], str], officer: int, tmp_path: Path
) -> None:
    address = live()
    sign_in(page, address, give_password(officer))
    drafted(page, address, **{"layers.0.amount.fen": "4", "note": "4元"})
    drafted(page, address, **{"layers.0.amount.fen": "2.5", "note": "2.5元"})
    page.goto(f"{address}/bureau/drafts/what-if")
    for row in db.session.query(PolicyDraft):
        page.check(f"input[name=draft][value='{row.id}']")
    page.fill("#first", FIRST.isoformat())
    page.fill("#last", (TODAY - timedelta(days=1)).isoformat())
    page.click("button:has-text('开始试算')")
    assert background.run_tasks()
    page.click("a:has-text('查看结果')")
    expect(page.locator("#totals thead th.number")).to_have_count(3)
    expect(page.locator("section[id^='people-']")).to_have_count(2)
    fits(page)
    picture(page, tmp_path, "two")
    page.set_viewport_size(PHONE)
    fits(page)
    picture(page, tmp_path, "two-phone")
    for name in ("", "/what-if", "/1"):
        page.goto(f"{address}/bureau/drafts{name}")
        expect(page.locator("h1")).to_be_visible()
        narrow_enough(page)
        picture(page, tmp_path, f"phone{name.replace('/', '-')}")
