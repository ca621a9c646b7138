"""A noon queue at the till through the whole service, against the bare rows of its sales.

In one run, on PostgreSQL: the rows of a sale written by raw psycopg in one transaction, an empty
request to the same server, and diners identified and sold to at 1, 4 and 8 tills. The tablet
prices a sale itself, so a diner costs the server two requests: who is it, and the signed sale.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.access.pins import set_pin
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.menus.models import MenuItem
from canteen.orders.models import Order
from canteen.tills import enrolling, keys
from canteen.verifying import verify
from scripts.benching import till_page
from scripts.benching.serving import Client, served
from scripts.benching.till_bare import bare_sales
from scripts.benching.world import aim, application, machine, median, quantile
from tests.factories import City, make_city, make_elder

CLIENTS = (1, 4, 8)
COPIES = 5
PIN = "820713"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--sales", type=int, default=400, help="sales for each number of tills")
    parser.add_argument("--no-browser", action="store_true", help="leave out the page's figures")


def run(wish: argparse.Namespace) -> dict[str, Any]:
    """Measure; gives figures and aims. A sale that fails, or books that do not agree, are told."""
    figures: dict[str, Any] = {"sales": wish.sales, **machine()}
    failed = 0
    with application("postgresql") as app:
        world = World(2 * wish.sales * len(CLIENTS) + 50)
        bare = bare_sales(app, world, wish.sales)
        with served(app) as port:
            empty = _times(Client(port), wish.sales)
            _sell(world, port, world.take(48), 8)  # both workers have built their statements
            for clients in CLIENTS:
                seen = _sell(world, port, world.take(wish.sales), clients)
                only = _sell(world, port, world.take(wish.sales), clients, identify=False)
                failed += seen.failed + only.failed
                figures[f"find_p50_ms_{clients}"] = median(seen.find) * 1000
                figures[f"sale_p50_ms_{clients}"] = median(seen.sale) * 1000
                figures[f"sale_p95_ms_{clients}"] = quantile(seen.sale, 0.95) * 1000
                figures[f"diners_per_second_{clients}"] = len(seen.sale) / seen.seconds
                figures[f"sales_per_second_{clients}"] = len(only.sale) / only.seconds
            orders, equal = _copies(world, port)
        db.session.rollback()
        wrong = verify()
        figures["orders"] = db.session.scalar(sa.select(sa.func.count(Order.id)))
        figures |= {"failed": failed, "findings": len(wrong)}
    figures |= {"bare_ms": median(bare) * 1000, "empty_ms": median(empty) * 1000}
    limit = figures["bare_ms"] + figures["empty_ms"]
    figures["ratio"] = figures["sale_p50_ms_1"] / limit
    aims = [
        aim("sale p50 against bare transaction + empty request", figures["ratio"], 3),
        aim("sale p95 against p50", figures["sale_p95_ms_1"] / figures["sale_p50_ms_1"], 2),
        aim("sales per second, 4 tills", figures["sales_per_second_4"], 100, "/s", least=True),
        aim("orders made of five copies of a sale", float(orders), 1, ""),
        aim("equal answers to five copies", float(equal), COPIES, "", least=True),
        aim("failures and findings", float(failed + len(wrong)), 0, ""),
    ]
    if not wish.no_browser:
        page, of_page = till_page.measure()
        figures |= page
        aims += of_page
    return {"name": "till", "figures": figures, "aims": aims}


class World:
    """A city with one busy canteen, its diners, and as many tills as the benchmark wants."""

    def __init__(self, diners: int) -> None:
        self.city: City = make_city()
        with transaction():
            made = []
            for number in range(diners):
                born = date(1930 + number % 15, 1 + number // 900 % 12, 1 + number // 10_800)
                made.append(make_elder(born, sequence=number % 900 + 2, phone=None))
            phones = [
                {"id": one.id, "phone": f"1990000{n:05d}", "phone_last4": f"{n:05d}"[-4:]}
                for n, one in enumerate(made)
            ]
            db.session.execute(sa.update(Elder), phones)
            db.session.execute(sa.update(MenuItem).values(portions=1_000_000))
            self.cashier = self.city.cashier
            set_pin(self.cashier.user_id or 0, PIN, by=self.cashier)
        self.diners = [(one.id, f"1990000{n:05d}") for n, one in enumerate(made)]
        self.items = [(item.id, item.price_fen) for item in self.city.items]
        self.canteen_id, self.menu_id = self.city.here.id, self.city.items[0].menu_id
        self.today = self.city.today

    def take(self, count: int) -> list[tuple[int, str]]:
        """So many diners who have not eaten yet."""
        taken, self.diners = self.diners[:count], self.diners[count:]
        return taken

    def code(self) -> str:
        """A one-time code for another till of the canteen."""
        with transaction():
            return enrolling.make_code(self.canteen_id, self.city.manager, clock.now())


class _Till:
    """A tablet at work: signed in, with its journal."""

    def __init__(self, world: World, port: int) -> None:
        self.world, self.client = world, Client(port)
        self.number, self.mac = 0, ""
        self.client.headers["X-CSRFToken"] = self.client.ask("GET", "/till/hello")[1]["csrf"]
        wish = {"code": world.code(), "name": uuid.uuid4().hex[:8]}
        status, enrolled = self.client.ask("POST", "/till/enrolment", wish)
        if status != 201:
            raise RuntimeError(f"the tablet was not enrolled: {status}")
        self.id, self.key = enrolled["till"]["id"], bytes.fromhex(enrolled["key"])
        door = {"till": self.id, "user_id": world.cashier.user_id, "pin": PIN}
        status, opened = self.client.ask("POST", "/till/session", door)
        if status != 200:
            raise RuntimeError(f"the cashier was not let in: {status}")
        self.client.headers["X-CSRFToken"] = opened["csrf"]
        self.send(self.entry("open", float_fen=20_000), live=False)

    def find(self, phone: str) -> dict[str, Any]:
        """The one diner with this phone."""
        status, answer = self.client.ask("POST", "/till/find", {"text": phone, "meal": "lunch"})
        if status != 200 or len(answer["found"]) != 1:
            raise RuntimeError(f"nobody found: {status}")
        return answer["found"][0]

    def sale(self, elder_id: int) -> dict[str, Any]:
        """The entry of a subsidised sale of one portion of each dish, in cash."""
        list_fen = sum(fen for _, fen in self.world.items)
        discount_fen = list_fen // 10
        payable_fen = list_fen - discount_fen - 300
        return self.entry(
            "sale", id=str(uuid.uuid4()), on=self.world.today.isoformat(), meal="lunch",
            service="eat_in", payment="cash", cash_fen=payable_fen, received_fen=payable_fen,
            elder=elder_id, card=None, how="phone",
            lines=[[item, 1, fen] for item, fen in self.world.items], list_fen=list_fen,
            discount_fen=discount_fen, subsidy_fen=300, payable_fen=payable_fen,
            to_account=False, priced="server", overrode=[],
        )

    def entry(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next entry of the journal, signed."""
        body = json.dumps({
            "v": 1, "kind": kind, "at": _said(clock.now()), "off": 0, "shift": 1,
            "cashier": self.world.cashier.user_id, **fields,
        })  # fmt: skip
        self.number += 1
        self.mac = keys.mac(self.key, self.mac, self.number, body)
        return {"number": self.number, "body": body, "mac": self.mac}

    def send(self, entry: dict[str, Any], live: bool = True) -> Any:
        """Tell the server of an entry; its outcome, or None."""
        wish = {
            "till": self.id, "now": _said(clock.now()), "last": self.number, "live": live,
            "entries": [entry],
        }
        status, answer = self.client.ask("POST", "/till/journal", wish)
        done = status == 200 and answer["outcomes"] and answer["outcomes"][0]["result"] == "done"
        return answer["outcomes"][0] if done else None


class _Seen:
    """What the tills measured together."""

    def __init__(self) -> None:
        self.find: list[float] = []
        self.sale: list[float] = []
        self.seconds = 0.0
        self.failed = 0


def _sell(
    world: World, port: int, diners: list[tuple[int, str]], clients: int, identify: bool = True
) -> _Seen:
    """Serve all diners at so many tills at once; `identify` asks first who each of them is."""
    seen, lock = _Seen(), threading.Lock()
    tills = [_Till(world, port) for _ in range(clients)]

    def work(till: _Till) -> None:
        while True:
            with lock:
                if not diners:
                    return
                elder_id, phone = diners.pop()
            begun = time.perf_counter()
            found = till.find(phone) if identify else {"id": elder_id}
            known = time.perf_counter()
            outcome = till.send(till.sale(found["id"]))
            done = time.perf_counter()
            with lock:
                seen.find.append(known - begun)
                seen.sale.append(done - known)
                seen.failed += outcome is None or found["id"] != elder_id

    threads = [threading.Thread(target=work, args=(till,)) for till in tills]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.seconds = time.perf_counter() - begun
    return seen


def _copies(world: World, port: int) -> tuple[int, int]:
    """Five copies of one sale sent at one instant: the orders they made, the equal answers."""
    till = _Till(world, port)
    elder_id, _ = world.take(1)[0]
    entry = till.sale(elder_id)
    ready, answers = threading.Barrier(COPIES), []
    senders = [Client(port) for _ in range(COPIES)]
    wish = {
        "till": till.id, "now": _said(clock.now()), "last": till.number, "live": True,
        "entries": [entry],
    }

    def send(client: Client) -> None:
        ready.wait()
        answers.append(client.ask("POST", "/till/journal", wish)[1].get("outcomes"))

    threads = [threading.Thread(target=send, args=(sender,)) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    orders = db.session.scalar(
        sa.select(sa.func.count(Order.id)).where(Order.elder_id == elder_id)
    )
    return int(orders or 0), sum(answer == answers[0] and bool(answer) for answer in answers)


def _times(client: Client, count: int) -> list[float]:
    times = []
    for number in range(count + 20):
        begun = time.perf_counter()
        if client.ask("GET", "/healthz")[0] != 200:
            raise RuntimeError("an empty request failed")
        if number >= 20:
            times.append(time.perf_counter() - begun)
    return times


def _said(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
