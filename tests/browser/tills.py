"""A tablet in a real browser whose station is driven without its screens."""

from __future__ import annotations

import json
from datetime import time, timedelta
from typing import Any

from playwright.sync_api import BrowserContext, Page

from canteen import clock
from canteen.access import pins
from canteen.db import db, transaction
from canteen.elders.models import Card
from canteen.orders.models import Order
from canteen.orders.placing import place
from canteen.orders.wishing import Wish
from canteen.tills import enrolling
from canteen.tills.models import TillEntry
from tests.browser.conftest import PATIENCE
from tests.factories import City, make_city, make_menu

PIN = "592607"
CARD = "81234567893"  # its Damm digit fits
OPEN = """async () => {
  const { openStation } = await import("/static/js/till/station.js");
  window.station = await openStation();
  await station.ready;
}"""
ACT = """async ([act, given]) => {
  try {
    const body = `return (async () => (${act}))()`;
    return { value: await new Function("s", "given", body)(station, given) };
  } catch (fault) {
    if (!fault.code) throw fault;
    return { refused: fault.code, text: fault.text };
  }
}"""

HANG = """() => {
  const real = window.fetch;
  window.fetch = (path, how) => path === "/till/journal" ? new Promise(() => {}) : real(path, how);
}"""


def until(page: Page, promised: str) -> None:
    """Wait until what an expression promises is true; `wait_for_function` awaits no promise."""
    came = page.evaluate(
        f"""async () => {{
          let over = false;
          const end = new Promise((go) => setTimeout(() => {{ over = true; go(); }}, {PATIENCE}));
          while (!(await Promise.race([{promised}, end]))) {{
            if (over) return false;
            await new Promise((go) => setTimeout(go, 20));
          }}
          return true;
        }}"""
    )
    assert came, f"not within {PATIENCE // 1000} seconds: {promised}"


class Tablet:
    """One page of a tablet; several pages of one context are its tabs."""

    def __init__(self, context: BrowserContext, address: str, city: City) -> None:
        self.page, self.address, self.city = context.new_page(), address, city
        self.start()

    def start(self) -> None:
        """Open an empty page of the till's origin and the station in it."""
        # A page without the app's own scripts; strict rules for scripts stay in force.
        self.page.goto(f"{self.address}/static/icon.svg")
        self.page.evaluate(OPEN)

    def do(self, act: str, given: Any = None) -> Any:
        """What an expression over the station `s` comes to; a refusal raises AssertionError."""
        answer = self.page.evaluate(ACT, [act, given])
        assert "refused" not in answer, answer
        return answer.get("value")

    def refused(self, act: str, given: Any = None) -> str:
        """The code with which it is refused."""
        answer = self.page.evaluate(ACT, [act, given])
        assert "refused" in answer, answer
        return str(answer["refused"])

    def enrol(self, name: str = "一号机") -> Tablet:
        """Make the tablet a till, open it, begin a shift with 200 yuan."""
        with transaction():
            code = enrolling.make_code(self.city.here.id, self.city.manager, clock.now())
        self.do("s.enrol(given[0], given[1])", [code, name])
        self.unlock()
        self.do("s.openShift(20000)")
        return self

    def unlock(self) -> None:
        """The cashier types the PIN."""
        self.do("s.unlock(given[0], given[1])", [self.city.cashier.user_id, PIN])

    def hang(self) -> None:
        """From now on nothing this page sends to the journal leaves, and nobody answers it.

        A route that never answers would not do: it lets the request go when its page does.
        """
        self.page.evaluate(HANG)

    def written(self) -> None:
        """Wait until an entry that nobody answered is on its disk."""
        until(self.page, "station.journal.store.count('outbox')")

    @property
    def state(self) -> dict[str, Any]:
        """What the screens are told."""
        return dict(self.do("s.state"))

    def sell(self, *, elder: bool = False, item: int = 0, act: str = "do", **how: Any) -> Any:
        """Sell one dish to the elder or to anybody."""
        given = {
            "item": self.city.items[item].id, "elder": self.city.elder.id if elder else None,
            "how": {"payment": "cash"} | how,
        }
        return getattr(self, act)(SELL, given)

    def settle(self) -> None:
        """Wait until everything is sent."""
        self.page.evaluate("async () => { await station.flush() }")
        self.page.wait_for_function("() => station.state.waiting === 0")


SELL = """(async () => {
  const elder = given.elder && s.pack.elders.find((one) => one.id === given.elder);
  if (given.elder && !elder) throw new Error("not in the pack");
  const lines = new Map([[given.item, 1]]);
  const basket = { meal: "lunch", service: "eat_in", elder, lines, card: "" };
  return s.sell(basket, given.how);
})()"""


def make_world() -> City:
    """The little city, its cashier with a PIN, its elder with a card and here yesterday."""
    city = make_city()
    with transaction():
        pins.set_pin(city.cashier.user_id or 0, PIN, city.manager)
        db.session.query(Card).delete()
        db.session.add(Card(number=CARD, elder_id=city.elder.id, issued_on=city.today))
    yesterday = city.today - timedelta(days=1)
    with transaction():
        dish, *_ = make_menu(city.here, yesterday)
        wish = Wish(city.here.id, yesterday, "lunch", "eat_in", {dish.id: 1}, city.elder.id,
                    serve_now=True)  # fmt: skip
        place(wish, city.cashier, clock.instant(yesterday, time(11)))
    return city


def entries() -> list[TillEntry]:
    """The journal as the server has it."""
    db.session.rollback()
    return list(db.session.query(TillEntry).order_by(TillEntry.till_id, TillEntry.number))


def orders() -> list[Order]:
    """What was sold here today."""
    db.session.rollback()
    today = clock.business_date()
    return list(db.session.query(Order).filter_by(on=today).order_by(Order.id))


def said(entry: TillEntry) -> dict[str, Any]:
    """What an entry says."""
    return dict(json.loads(entry.body))
