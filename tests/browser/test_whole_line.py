"""The whole line, once through, as a newcomer walks it: a seeded city, a real server and its
timetable, a browser for each person, and at the end the proof.

Every step leaves a picture in the test's folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from canteen import clock
from canteen.demo.people import BORN
from canteen.subsidies.eligibility import age_on
from scripts.demo_city import City, served
from tests.browser.conftest import PATIENCE, TABLET, swipe

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
FIRST = "春和里老人家食堂"
OFFICES = ("street", "district", "city")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Thirteen canteens and two months of their meals, one month waiting for review."""
    with served(tmp_path_factory.mktemp("city"), canteens=13, elders=200) as city:
        yield city


@pytest.fixture
def sit_down(browser: Browser, city: City) -> Iterator[Callable[[str], Page]]:
    """`sit_down(role)` signs somebody in, each on a machine of their own."""
    contexts = []

    def sit(role: str) -> Page:
        context = browser.new_context(
            viewport=TABLET, locale="zh-CN", timezone_id="Asia/Shanghai", base_url=city.address
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page, one = context.new_page(), city.who[role]
        page.goto("/sign-in")
        page.fill("[name=login]", one["login"])
        page.fill("[name=password]", one["password"])
        page.click("main button[type=submit]")
        page.wait_for_url(f"**{one['page']}")
        return page

    yield sit
    for context in contexts:
        context.close()


class Album:
    """The pictures of the story, in their order; the telling ones in both languages."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def keep(self, page: Page, name: str, *, both: bool = False) -> None:
        """A picture of what the page shows; `both` also in English, where the address says all."""
        self.count += 1
        self._shoot(page, f"{self.count:02d}-{name}-zh")
        if both:
            with english(page):
                self._shoot(page, f"{self.count:02d}-{name}-en")

    def _shoot(self, page: Page, name: str) -> None:
        page.screenshot(path=self.folder / f"{name}.png", full_page=True, animations="disabled")


@contextmanager
def english(page: Page) -> Iterator[None]:
    """The same address read in English, then in Chinese again."""
    here = page.url
    for language in ("en", "zh"):
        page.request.get(f"/language/{language}")
        page.goto(here)
        if language == "en":
            yield


@pytest.fixture
def album(tmp_path: Path) -> Album:
    """Where the pictures of this run go."""
    return Album(tmp_path)


def yuan(page: Page, part: str) -> int:
    """The fen that a part of the page's price strip shows."""
    text = page.locator(f".price-strip .price-{part} .price-digits").inner_text()
    return int(text.replace(".", "").replace(",", ""))


def price(page: Page) -> dict[str, int]:
    """The page's price strip in fen; the sum must be what it says it is."""
    expect(page.locator(".price-strip")).to_be_visible()
    found = {part: yuan(page, part) for part in ("list", "discount", "subsidy", "pay")}
    assert found["list"] - found["discount"] - found["subsidy"] == found["pay"]
    return found


PIN = "592607"


def make_till(manager: Page, till: Page, album: Album) -> None:
    """The manager gives the cashier a PIN and the tablet a code; the cashier opens a shift."""
    manager.goto("/till/tills")
    manager.select_option("[name=cashier]", index=1)
    for field in ("pin", "again"):
        manager.fill(f"[name={field}]", PIN)
    manager.click("form:has([name=pin]) button[type=submit]")
    manager.goto("/till/tills")
    manager.click("form[action$='/tills/codes'] button")
    code = re.sub(r"\D", "", manager.locator(".till-code-digits").inner_text())
    album.keep(manager, "tills")
    till.goto("/till")
    till.fill("#code", code)
    album.keep(till, "enrol")
    till.click("#enrol")
    till.locator(".who-tile:not([disabled])").first.click()
    till.locator(".keypad").wait_for()
    till.keyboard.type(PIN)
    till.click("#float-200")
    till.click("#open-shift")
    expect(till.locator(".sale")).to_be_visible()


def scan(till: Page, card: str) -> None:
    """Hold a card before the till, ready for the next diner."""
    till.keyboard.press("Escape")
    till.keyboard.press("Escape")
    swipe(till, card)
    expect(till.locator("#diner")).to_be_visible()


def take_set(till: Page) -> Any:
    """Have one of the menu's first set, and of nothing else; gives its tile."""
    tile = till.locator(".dish:has-text('套餐')").first
    for _ in range(till.locator(".basket-line").count()):
        till.keyboard.press("Backspace")
    expect(till.locator(".basket-line")).to_have_count(0)
    tile.locator(".dish-add").click()
    expect(till.locator("#basket .basket-line")).to_have_count(1)
    expect(till.locator(".price-strip")).to_be_visible()
    return tile


def left(tile: Any) -> int:
    """How many portions the tile says are left."""
    return int(re.sub(r"\D", "", tile.locator(".tile-left").inner_text().splitlines()[-1]))


def sell(till: Page) -> None:
    """Take exactly what is to pay, and serve."""
    till.click("#sell")
    expect(till.locator("#next-diner")).to_be_visible()


def receipt(till: Page) -> Any:
    """The receipt of the sale just made, over the page."""
    till.click("#receipt")
    expect(till.locator(".receipt-pay")).to_be_visible()
    return till.locator(".sheet .receipt")


def test_the_whole_line(city: City, sit_down: Callable[[str], Page], album: Album) -> None:
    till, manager = sit_down("cashier"), sit_down("manager")
    make_till(manager, till, album)
    an_elder_over_80_pays_less(till, city.cards[0], album)
    a_worker_pays_the_list_price(till, album)
    who_has_had_enough_pays_in_full(till, city.cards[1], album)
    cancelled_it_all_comes_back(till, city.cards[0], album)

    operator = sit_down("operator")
    statement = the_month_is_approved(sit_down, operator, album)
    two_people_let_it_be_paid(sit_down("city"), sit_down("city2"), album)
    it_is_paid(sit_down("operator"), statement, album)

    the_sign_comes_down(sit_down("district"), till, city, album)
    proved = city.command("verify")
    assert proved.returncode == 0, proved.stdout + proved.stderr


def an_elder_over_80_pays_less(till: Page, card: str, album: Album) -> None:
    scan(till, card)
    expect(till.locator("#diner")).to_contain_text(f"{age_on(BORN[1], clock.business_date())} 岁")
    expect(till.locator("#diner .week-dots")).to_contain_text("本周 0/5")
    take_set(till)
    asked = price(till)
    assert asked["subsidy"] == 300 and asked["list"] >= 1300
    payers = till.locator(".price-subsidy .price-payer")
    expect(payers).to_contain_text("市级 1.50")
    expect(payers).to_contain_text("区级 1.50")
    expect(till.locator(".price-why")).to_contain_text("80周岁")
    album.keep(till, "till-elder")
    sell(till)
    paper = receipt(till)
    expect(paper).to_contain_text(f"{asked['pay'] / 100:.2f}")
    expect(paper).to_contain_text("本周还可用 4 次")
    album.keep(till, "receipt-elder")
    till.keyboard.press("Escape")


def a_worker_pays_the_list_price(till: Page, album: Album) -> None:
    till.click("#next-diner")
    till.click("#other")
    take_set(till)
    asked = price(till)
    assert asked["pay"] == asked["list"]
    expect(till.locator(".price-why")).not_to_be_empty()
    album.keep(till, "till-worker")
    sell(till)
    expect(receipt(till)).not_to_contain_text("本周还可用")
    album.keep(till, "receipt-worker")
    till.keyboard.press("Escape")


def who_has_had_enough_pays_in_full(till: Page, card: str, album: Album) -> None:
    """Who eats here daily: from Friday's meal on the week is used, before that the day."""
    weekday = clock.business_date().weekday()
    scan(till, card)
    if weekday < 5:
        take_set(till)
        assert price(till)["subsidy"] == 300
        sell(till)
        scan(till, card)
    used = "本周 5/5" if weekday >= 4 else "今天已用，明天可以再用"
    expect(till.locator("#diner .week-dots")).to_contain_text(used)
    take_set(till)
    assert price(till)["subsidy"] == 0
    why = r"本周.*起\)5次补贴已用完，.*起可再用" if weekday >= 4 else "今天1次补贴已用过，.*可再用"
    expect(till.locator(".price-why")).to_have_text(re.compile(why))
    album.keep(till, "till-refused")
    sell(till)
    album.keep(till, "done-refused")


def cancelled_it_all_comes_back(till: Page, card: str, album: Album) -> None:
    scan(till, card)
    before = left(till.locator(".dish:has-text('套餐')").first)
    till.click("#tab-today")
    album.keep(till, "today")
    given = till.locator(".sold:has-text('补贴 3.00')").last
    row = till.locator(f"#{given.get_attribute('id')}")
    row.get_by_role("button", name="作废").click()
    till.click("#reason-changed_mind")
    expect(row).to_contain_text("已作废")
    expect(till.locator("#waiting")).to_contain_text("待上传 0")
    album.keep(till, "today-voided")
    till.click("#tab-sale")
    scan(till, card)
    expect(till.locator("#diner .week-dots")).to_contain_text("本周 0/5")
    # What is left comes with the till's next look at the server, at most ten seconds away.
    tile = till.locator(".dish:has-text('套餐') .tile-left").first
    expect(tile).to_contain_text(str(before + 1))
    take_set(till)
    assert price(till)["subsidy"] == 300
    sell(till)
    expect(receipt(till)).to_contain_text("本周还可用 4 次")
    till.keyboard.press("Escape")


def the_month_is_approved(sit_down: Callable[[str], Page], operator: Page, album: Album) -> str:
    """Street, district and city pass it on, nobody twice; gives the statement's number."""
    number = ""
    for office in OFFICES:
        desk = sit_down(office)
        album.keep(desk, f"desk-{office}")
        desk.goto(f"/bureau/statements?stage={office}")
        album.keep(desk, f"statements-{office}")
        desk.locator(f"#statements a:has-text('{FIRST}')").first.click()
        number = desk.url.rpartition("/")[2].partition("?")[0]
        chain = desk.locator(".chain").first
        expect(chain.locator("[aria-current=step]")).to_be_visible()
        album.keep(desk, f"statement-{office}", both=office == "street")
        the_sample_is_looked_at(desk, album)
        again = desk.context.new_page()
        again.goto(desk.url)
        for page in (desk, again):
            page.locator(".page-header form button").click()
            with page.expect_navigation():
                page.locator("dialog[open] .button-primary").click()
        expect(desk.locator(".page-header form")).to_have_count(0)
        expect(again.locator(".notice-no")).to_be_visible()
        album.keep(again, f"twice-{office}")
        operator.goto(f"/operator/statements/{number}")
        expect(operator.locator(".page-header form")).to_have_count(0)
        album.keep(operator, f"operator-after-{office}")
        desk.context.close()
    return number


def the_sample_is_looked_at(desk: Page, album: Album) -> None:
    """The office that must look at the drawn meals cannot approve before it has."""
    statement = desk.url
    missing = desk.locator(".page-header a:has-text('先办未完的事')")
    if missing.count():
        missing.click()
        album.keep(desk, "sample", both=True)
        desk.fill("#rest_count", str(desk.locator(".drawn-open").count()))
        desk.locator("button[name=rest]").click()
        expect(desk.locator("button[name=rest]")).to_have_count(0)
        desk.goto(statement)


def two_people_let_it_be_paid(maker: Page, checker: Page, album: Album) -> None:
    """One puts the payouts into a batch and may not release it; a colleague does."""
    maker.goto("/bureau/payouts")
    maker.locator(".page-header .button-primary").click()
    expect(maker.locator("input[name=payout_ids]").first).to_be_checked()
    album.keep(maker, "batch-new", both=True)
    maker.locator(".pick-bar .button-primary").click()
    expect(maker.locator("main")).to_contain_text("须由另一位同事复核放行")
    expect(maker.locator("[data-dialog=release]")).to_have_count(0)
    checker.goto(maker.url)
    checker.locator("[data-dialog=release]").click()
    album.keep(checker, "batch-release")
    checker.locator("#release .button-primary").click()
    expect(checker.locator(".page-header .tag")).to_contain_text("已放行")
    album.keep(checker, "batch-released", both=True)


def it_is_paid(operator: Page, statement: str, album: Album) -> None:
    """The timetable sends the payout within seconds; the enterprise sees it arrive."""
    paid = operator.locator(".chain-step.chain-done:has-text('付款')")
    for _ in range(40):
        operator.goto(f"/operator/statements/{statement}")
        if paid.count():
            break
        operator.wait_for_timeout(1000)
    expect(paid).to_have_count(1)
    expect(operator.locator("main")).to_contain_text("已到账")
    album.keep(operator, "paid", both=True)


def the_sign_comes_down(district: Page, till: Page, city: City, album: Album) -> None:
    scan(till, city.cards[1])
    take_set(till)
    district.goto("/bureau/canteens/1")
    album.keep(district, "canteen")
    district.click("[data-dialog=sign-delisted]")
    district.locator("#sign-delisted select").select_option(index=1)
    district.fill("#sign-delisted textarea", "长期不按公示价供餐，老人已转介附近食堂")
    album.keep(district, "delisting")
    district.click("#sign-delisted button[type=submit]")
    expect(district.locator("main")).to_contain_text("已摘牌")
    album.keep(district, "canteen-delisted", both=True)
    till.click("#sell")
    expect(till.locator(".sale-order .notice-no")).to_be_visible()
    expect(till.locator("#next-diner")).to_have_count(0)
    album.keep(till, "till-stopped")
    district.goto("/canteens/1")
    expect(district.locator("main")).to_contain_text("现在不供餐")
    album.keep(district, "public", both=True)
