"""Names that are scripts, and what a locked tablet still holds: tried in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from canteen import clock
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.menus.models import Dish
from canteen.tills import enrolling
from tests.browser.test_till import come_in
from tests.browser.tills import CARD, make_world
from tests.factories import City

pytestmark = pytest.mark.browser
SCRIPT = "<img src=x onerror=a()>"
WHO, NOTE = "<img src=e onerror=a()>", "<img src=n onerror=a()>"
QUOTES = "\"'><svg onload=a()>"
PAGES = ("orders?show=all", "kitchen", "shifts", "day", "menus", "pin")
READ = """async () => {
  const found = [];
  const text = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value)
    ? new TextDecoder().decode(value.buffer ?? value)
    : value instanceof CryptoKey ? `key extractable=${value.extractable}`
    : value && typeof value === "object"
      ? Object.entries(value).map(([name, one]) => name + "=" + text(one)).join()
      : String(value);
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
    });
    for (const store of database.objectStoreNames) {
      const all = await new Promise((resolve) => {
        const asked = database.transaction(store).objectStore(store).getAll();
        asked.onsuccess = () => resolve(asked.result);
      });
      found.push(store + ":" + text(all));
    }
    database.close();
  }
  for (const storage of [localStorage, sessionStorage]) found.push(JSON.stringify(storage));
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const answer = await cache.match(request);
      const path = new URL(request.url).pathname;
      found.push("cached:" + path + (path === "/till" ? await answer.text() : ""));
    }
  }
  return found.join("\\n");
}"""


@pytest.fixture
def city(app: Flask) -> City:
    """A world whose names are all scripts."""
    city = make_world()
    with transaction():
        elder = db.session.get_one(Elder, city.elder.id)
        elder.name, elder.diet_notes = WHO, NOTE
        for item in city.items:
            dish = db.session.get_one(Dish, item.dish_id)
            dish.name, dish.name_en = f"{SCRIPT}{item.id}", QUOTES
    return city


@pytest.fixture
def till(context: BrowserContext, page: Page, live: Callable[[], str], city: City) -> Page:
    """The till of that world, open; whatever a name would call is counted."""
    context.add_init_script("window.called = 0; window.a = () => { window.called += 1; }")
    with transaction():
        code = enrolling.make_code(city.here.id, city.manager, clock.now())
    page.goto(f"{live()}/till")
    page.fill("#code", code)
    page.click("#enrol")
    expect(page.locator(".who-tiles")).to_be_visible()
    return come_in(page, city)


def meet(page: Page) -> None:
    """The elder lays the card down."""
    page.keyboard.type(CARD)
    page.keyboard.press("Enter")
    expect(page.get_by_text(WHO).first).to_be_visible()


def test_a_name_that_is_a_script_is_only_a_name(till: Page, city: City) -> None:
    meet(till)
    injected = "document.querySelectorAll('[onerror], [onload]').length + window.called"
    assert till.evaluate(injected) == 0
    root = till.url.partition("/till")[0]
    for name in PAGES:
        till.goto(f"{root}/till/{name}")
        assert till.evaluate(injected) == 0, name


def test_a_locked_tablet_names_nobody_and_holds_no_open_key(till: Page, city: City) -> None:
    meet(till)
    till.click(f"#add-{city.items[0].id}")
    till.click("#sell")
    expect(till.locator(".end")).to_be_visible()
    assert till.evaluate(READ).count("extractable=false") == 2  # the till's, and the pack's
    till.click("#lock")
    expect(till.locator(".who-tiles")).to_be_visible()
    found = till.evaluate(READ)
    assert found.count("extractable=false") == 1 and "extractable=true" not in found
    for told in (WHO, NOTE, CARD, "1940-05"):
        assert told not in found
    assert WHO not in till.content() and "cached:/till/" not in found
