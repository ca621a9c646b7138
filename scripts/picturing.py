"""Pictures of the main pages, in both languages, from a demo city in a temporary folder."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from scripts.demo_city import ROOT, City, served
from scripts.small_png import small

PICTURES = ROOT / "docs" / "pictures"
TABLET = ViewportSize(width=1280, height=800)
DESK = ViewportSize(width=1100, height=690)
PHONE = ViewportSize(width=390, height=860)
QUIET = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic",
)  # fmt: skip
PIN = "592607"  # of nobody; the city is gone with its folder
WIDEST = 150_000  # bytes of a picture: a page of documentation should open at once


def main() -> None:
    """Take every picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("CANTEEN_CHROMIUM") or shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as driver,
        served(Path(folder), canteens=13, elders=400) as city,
    ):
        browser = driver.chromium.launch(executable_path=chromium, args=list(QUIET))
        till = _open_till(browser, city)
        for language in ("zh", "en"):
            _till(till, city, language)
            _home(enter(browser, city, "elder", PHONE, language), language)
            _statement(enter(browser, city, "street", DESK, language), language)
        browser.close()


def enter(browser: Browser, city: City, role: str, size: ViewportSize, language: str) -> Page:
    """A page signed in as somebody, in a language."""
    page = browser.new_context(
        viewport=size, base_url=city.address, locale="zh-CN", timezone_id="Asia/Shanghai"
    ).new_page()
    page.goto("/sign-in")
    page.fill("[name=login]", city.who[role]["login"])
    page.fill("[name=password]", city.who[role]["password"])
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(f"/language/{language}?next={city.who[role]['page']}")
    return page


def shoot(page: Page, name: str, language: str) -> None:
    """Keep what the page shows now."""
    path = PICTURES / f"{name}-{language}.png"
    path.write_bytes(small(page.screenshot(animations="disabled")))
    if path.stat().st_size > WIDEST:
        raise SystemExit(f"{path.name} is larger than {WIDEST} bytes; show less of the page.")


def _open_till(browser: Browser, city: City) -> Page:
    """A tablet made a till by the manager, opened by the cashier, with 200 yuan in the drawer."""
    manager = enter(browser, city, "manager", TABLET, "zh")
    manager.goto("/till/tills")
    manager.select_option("[name=cashier]", index=1)
    for field in ("pin", "again"):
        manager.fill(f"[name={field}]", PIN)
    manager.click("form:has([name=pin]) button[type=submit]")
    manager.goto("/till/tills")
    manager.click("form[action$='/tills/codes'] button")
    code = re.sub(r"\D", "", manager.locator(".till-code-digits").inner_text())
    page = browser.new_context(
        viewport=TABLET, base_url=city.address, locale="zh-CN", timezone_id="Asia/Shanghai"
    ).new_page()
    page.goto("/till")
    page.fill("#code", code)
    page.click("#enrol")
    page.locator(".who-tile:not([disabled])").first.click()
    page.locator(".keypad").wait_for()
    page.keyboard.type(PIN)
    page.click("#float-200")
    page.click("#open-shift")
    page.wait_for_selector(".sale")
    return page


def _till(page: Page, city: City, language: str) -> None:
    """An elder known by their card, one set, what each pays, and the change."""
    if language == "en":
        page.click("#clear")
        page.click("#more")
        page.click("#language")
        page.keyboard.press("Escape")
    page.keyboard.type(city.cards[0])
    page.keyboard.press("Enter")
    page.wait_for_selector("#diner")
    page.wait_for_timeout(300)
    if not page.locator(".basket-line").count():  # a regular's usual dishes are there already
        page.locator(".dish-add").first.click()
    page.wait_for_selector(".price-strip")
    page.click("#received-2000")
    page.wait_for_selector("#change:has-text('.')")
    page.wait_for_selector(".toast", state="hidden")
    shoot(page, "till", language)


def _home(page: Page, language: str) -> None:
    """The elder's start: one big button and the week."""
    page.wait_for_load_state("networkidle")
    shoot(page, "elder", language)


def _statement(page: Page, language: str) -> None:
    """A statement that waits for this office, with its chain and its payers."""
    page.goto("/bureau/statements?stage=street")
    page.locator("#statements th a").first.click()
    page.wait_for_selector(".chain")
    shoot(page, "statement", language)


if __name__ == "__main__":
    main()
