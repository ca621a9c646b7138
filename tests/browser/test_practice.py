"""The training mode: works like the till, asks nobody anything, and touches nothing real."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from canteen.subsidies.policies import load_folder, policy_for
from tests.factories import make_city

pytestmark = pytest.mark.browser
STATIC = Path(__file__).parents[2] / "canteen/static/js/till"
PRACTICE = "import('/static/js/till/practice.js')"
# A day's work: opened, sold to whoever comes, a void, a payment, a cut, a count.
A_DAY = """async () => {
  const { openPractice } = await %s;
  window.asked = 0;
  const real = window.fetch;
  window.fetch = (...given) => { window.asked++; return real(...given); };
  const station = await openPractice();
  await station.reset();
  const no = (act) => act().then(() => null, (error) => error.code ?? String(error));
  const anybody = { meal: "lunch", service: "eat_in", elder: null, lines: new Map([[201, 1]]) };
  const said = { early: await no(() => station.sell(anybody, { payment: "cash" })) };
  await station.openShift(20000);
  const { found, sure } = await station.find("89900000001");
  said.found = [found.length, sure, found[0].name, found[0].used.week];
  const basket = { ...anybody, elder: found[0] };
  const first = await station.sell(basket, { payment: "cash", received_fen: 2000 });
  said.first = [first.number, first.state, first.parts, first.receipt];
  said.again = (await station.sell(basket, { payment: "cash" })).parts.subsidy_fen;
  said.used = (await station.find("89900000001")).found[0].used;
  said.left = station.left(201);
  await station.voidSale(first.number, "mistake", "");
  said.voided = [station.left(201), (await station.find("89900000001")).found[0].used.day];
  said.twice = await no(() => station.voidSale(first.number, "mistake", ""));
  said.lost = await no(() => station.find("89900000009"));
  said.initials = (await station.find("lxj")).found.map((one) => one.name);
  const online = await station.sell(anybody, { payment: "online", cash_fen: 500 });
  said.online = [online.state, (await station.paymentState(online.order_id)).paid];
  await station.setOnline(false);
  said.cut = await no(() => station.sell(basket, { payment: "online", cash_fen: 0 }));
  const kept = await station.sell(anybody, { payment: "cash" });
  const other = (await station.find("89900000002")).found[0];
  const old = (await station.find("lxw")).found[0];
  const theirs = { ...anybody, elder: old };
  const within = station.price(theirs).ask;
  said.asks = [within, (await station.sell(theirs, { payment: "cash" })).parts.subsidy_fen];
  await station.voidSale(station.sales()[0].number, "mistake", "");
  said.why = station.price({ ...anybody, elder: other }).quote.steps.map((step) => step.code);
  said.kept = [kept.state, station.state.waiting];
  await station.setOnline(true);
  said.back = [kept.state, station.state.waiting];
  await station.soldOut(205);
  const fish = { ...anybody, lines: new Map([[205, 1]]) };
  said.gone = [station.left(205), await no(() => station.sell(fish, { payment: "cash" }))];
  await station.move(-5000, "to_safe", "");
  said.blind = await no(() => station.closeShift({ 10000: 1 }, "", 0));
  said.closed = await station.closeShift({ 10000: 1 }, "数错了", 10000);
  said.asked = window.asked;
  said.sales = station.sales().length;
  return said;
}""" % PRACTICE  # noqa: UP031  braces belong to the script


@pytest.fixture
def practice(live: Callable[[], str], app: object, page: Page) -> tuple[Page, list[str]]:
    """A page of the service in which the modules are loaded, and every request made after."""
    make_city()
    page.goto(f"{live()}/canteens")
    page.evaluate("""async () => {
      await %s;
      await new Promise((done) => {
        const opening = indexedDB.open("canteen-till", 1);
        opening.onupgradeneeded = () => {
          opening.result.createObjectStore("meta").put("mine", "head");
        };
        opening.onsuccess = () => { opening.result.close(); done(); };
      });
    }""" % PRACTICE)  # noqa: UP031
    made: list[str] = []
    page.on("request", lambda request: made.append(request.url))
    return page, made


def test_a_day_of_practice_counts_like_the_till_and_asks_nobody(
    practice: tuple[Page, list[str]]
) -> None:
    page, made = practice
    said: dict[str, Any] = page.evaluate(A_DAY)
    assert said["early"] == "no_shift"
    assert said["found"] == [1, True, "练习甲", 0]
    number, state, parts, receipt = said["first"]
    assert (number, state, receipt) == (2, "done", None)
    assert parts == {
        "list_fen": 1500, "discount_fen": 150, "subsidy_fen": 300, "account_fen": 0,
        "payable_fen": 1050, "cash_fen": 1050, "excess_fen": 0,
    }
    assert said["again"] == 0, "the second meal of a day was subsidised"
    assert said["used"] == {"day": 1, "week": 1, "month": 1, "meals": {"lunch": 1}}
    assert said["left"] == 38 and said["voided"] == [39, 0]
    assert said["twice"] == "already_voided" and said["lost"] == "card_lost"
    assert said["initials"] == ["练习甲", "练习己"]
    assert said["online"] == ["awaiting", False]
    assert said["cut"] == "online_needs_network"
    assert said["asks"] == ["within", 300] and "cap_week" in said["why"]
    assert said["kept"] == ["kept", 1] and said["back"] == ["done", 0]
    assert said["gone"] == [0, "sold_out"]
    assert said["blind"] == "reason_needed"
    # 200 float + 13.50 (the day's subsidy was gone) + 5.00 cash part + 15.00, less 50 to the safe.
    assert said["closed"]["expected_fen"] == 20000 + 1350 + 500 + 1500 - 5000
    assert said["closed"]["over_fen"] == 10000 - said["closed"]["expected_fen"]
    assert said["sales"] == 5
    assert made == [] and said["asked"] == 0


def test_practice_keeps_its_day_over_a_reload_and_leaves_the_real_database_alone(
    practice: tuple[Page, list[str]]
) -> None:
    page, made = practice
    page.evaluate(A_DAY)
    assert made == []
    page.reload()
    names, mine, sales, after = page.evaluate("""async () => {
      const { openPractice } = await %s;
      const station = await openPractice();
      const sales = station.sales().length;
      await station.reset();
      const names = (await indexedDB.databases()).map((one) => one.name).sort();
      const mine = await new Promise((done) => {
        const opening = indexedDB.open("canteen-till");
        opening.onsuccess = () => {
          const all = opening.result.transaction("meta").objectStore("meta").getAll();
          all.onsuccess = () => done(all.result);
        };
      });
      return [names, mine, sales, station.sales().length];
    }""" % PRACTICE)  # noqa: UP031
    assert names == ["canteen-practice", "canteen-till"] and mine == ["mine"]
    assert (sales, after) == (5, 0)


def test_a_practice_payment_is_made_by_itself(practice: tuple[Page, list[str]]) -> None:
    page, _ = practice
    assert page.evaluate("""async () => {
      const { openPractice } = await %s;
      const station = await openPractice();
      await station.reset();
      await station.openShift(0);
      const anybody = { meal: "lunch", service: "eat_in", lines: new Map([[201, 1]]) };
      const sale = await station.sell(anybody, { payment: "online", cash_fen: 0 });
      await new Promise((done) => {
        station.addEventListener("change", () => sale.state === "done" && done());
      });
      return (await station.paymentState(sale.order_id)).paid;
    }""" % PRACTICE)  # noqa: UP031


def test_practice_is_priced_by_the_published_policy() -> None:
    text = (STATIC / "practice_policy.js").read_text(encoding="utf-8")
    bundled = json.loads(text.partition("export const POLICY = ")[2].rstrip().removesuffix(";"))
    published = policy_for(load_folder(), "120104", date(2026, 11, 22))
    assert bundled == json.loads(published.to_json())
