"""The till's page in a real browser: its weight, and how soon it can be used, cold and offline."""

from __future__ import annotations

import gzip
import time
from typing import Any

from playwright.sync_api import Page, Response, sync_playwright

from canteen import clock
from canteen.access.pins import set_pin
from canteen.db import transaction
from canteen.tills import enrolling
from scripts.benching.serving import served
from scripts.benching.world import aim, application, median
from tests.browser.conftest import ARGUMENTS, TABLET, chromium_path
from tests.factories import City, make_city

PIN = "820713"
TIMES = 5


def measure() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The page's figures and aims."""
    figures: dict[str, Any] = {}
    with application("sqlite") as app:
        city = make_city()
        with transaction():
            set_pin(city.cashier.user_id or 0, PIN, by=city.cashier)
            code = enrolling.make_code(city.here.id, city.manager, clock.now())
        with served(app) as port, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
            address = f"http://127.0.0.1:{port}/till"
            weights, cold = [], []
            for _ in range(TIMES):
                context = browser.new_context(viewport=TABLET)
                weight, took = _open_cold(context.new_page(), address)
                weights.append(weight)
                cold.append(took)
                context.close()
            context = browser.new_context(viewport=TABLET)
            _begin(context.new_page(), address, code, city)
            context.set_offline(True)
            opened = [_open_offline(context.new_page(), address, city) for _ in range(TIMES)]
            browser.close()
    figures = {
        "page_kb": max(weights) / 1024, "usable_cold_s": median(cold),
        "sale_offline_s": median(opened),
    }
    return figures, [
        aim("the page, compressed", figures["page_kb"], 150, "KB"),
        aim("usable, cold from the local server", figures["usable_cold_s"], 1, "s"),
        aim("sale possible after opening offline", figures["sale_offline_s"], 1, "s"),
    ]


def _open_cold(page: Page, address: str) -> tuple[int, float]:
    """Bytes of everything the page asks for, each compressed, and seconds until it can be used."""
    seen: list[Response] = []
    page.on("response", lambda response: seen.append(response))
    begun = time.perf_counter()
    page.goto(address)
    page.locator("#code").wait_for()
    took = time.perf_counter() - begun
    page.wait_for_load_state("networkidle")
    return sum(len(gzip.compress(each.body(), 6)) for each in seen if each.ok), took


def _begin(page: Page, address: str, code: str, city: City) -> None:
    """Make the tablet a till with an open shift, installed."""
    page.goto(address)
    page.fill("#code", code)
    page.click("#enrol")
    page.click(f"#cashier-{city.cashier.user_id}")
    page.locator(".keypad").wait_for()
    page.keyboard.type(PIN)
    page.click("#float-200")
    page.click("#open-shift")
    page.locator(".sale").wait_for()
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")


def _open_offline(page: Page, address: str, city: City) -> float:
    """Seconds until a dish can be tapped; then it is sold, to be sure."""
    begun = time.perf_counter()
    page.goto(address)
    page.locator(".sale").wait_for()
    took = time.perf_counter() - begun
    page.click("#meal-lunch")
    page.click("#other")
    page.click(f"#add-{city.items[0].id}")
    page.click("#sell")
    page.locator(".end-change, #next").first.wait_for()
    page.close()
    return took
