"""A subsidised sale of three dishes through the whole service, against its bare transaction.

In one run, on PostgreSQL: the same rows by raw psycopg in one transaction, an empty request to the
same server, and sales by 1, 4 and 8 clients.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.access.tokens import make_token
from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.verifying import verify
from scripts.benching.world import aim, application, machine, median, quantile
from tests.factories import City, make_city, make_elder

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = (1, 4, 8)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--sales", type=int, default=400, help="sales for each number of clients")


def run(wish: argparse.Namespace) -> dict[str, Any]:
    """Measure; gives figures and aims. Stops if a sale fails or the books do not agree after."""
    figures: dict[str, Any] = {"sales": wish.sales, **machine()}
    with application("postgresql") as app:
        city, elders, token = _world(wish.sales * len(CLIENTS))
        bare = _bare(app, city, wish.sales)
        with _server(app) as port:
            empty = _times(_Client(port, token).empty, wish.sales)
            failed = 0
            for clients in CLIENTS:
                wishes = [_wish(city, elders.pop()) for _ in range(wish.sales)]
                times, seconds, no = _sell(port, token, wishes, clients)
                failed += no
                figures[f"p50_ms_{clients}"] = median(times) * 1000
                figures[f"p95_ms_{clients}"] = quantile(times, 0.95) * 1000
                figures[f"per_second_{clients}"] = len(times) / seconds
        db.session.rollback()
        sold = db.session.scalar(sa.select(sa.func.count(Order.id)))
        wrong = [finding for finding in verify() if "bench" not in str(finding)]
        figures |= {"orders": sold, "findings": len(wrong)}
    figures |= {
        "failed": failed, "bare_ms": median(bare) * 1000, "empty_ms": median(empty) * 1000,
    }
    limit = figures["bare_ms"] + figures["empty_ms"]
    figures["ratio"] = figures["p50_ms_1"] / limit
    aims = [
        aim("p50 against bare transaction + empty request", figures["ratio"], 3),
        aim("p95 against p50, one client", figures["p95_ms_1"] / figures["p50_ms_1"], 2),
        aim("sales per second, 4 clients", figures["per_second_4"], 100, "/s", least=True),
        aim("failures", float(failed + len(wrong)), 0, ""),
    ]
    return {"name": "sale", "figures": figures, "aims": aims}


def _world(elders: int) -> tuple[City, list[int], str]:
    city = make_city()
    with transaction():
        ids = []
        for number in range(elders):
            born = date(1930 + number % 15, 1 + number // 900 % 12, 1 + number // 10_800)
            ids.append(make_elder(born, sequence=number % 900 + 2, phone=None).id)
        for item in city.items:
            db.session.merge(item).portions = 1_000_000
        token = make_token(city.cashier.user_id or 0, "bench", 1, city.cashier)
    return city, ids, token


def _wish(city: City, elder_id: int) -> dict[str, Any]:
    return {
        "canteen_id": city.here.id, "on": city.today.isoformat(), "meal": "lunch",
        "service": "eat_in", "payment": "cash", "serve_now": True, "elder_id": elder_id,
        "lines": [{"item_id": item.id, "quantity": 1} for item in city.items],
    }  # fmt: skip


class _Client:
    """One connection that is kept open."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.token = token

    def empty(self) -> bool:
        """A request that does nothing."""
        return self._ask("GET", "/healthz", None) == 200

    def sell(self, wish: dict[str, Any]) -> bool:
        """One sale."""
        return self._ask("POST", "/api/v1/orders", json.dumps(wish)) == 201

    def _ask(self, method: str, path: str, body: str | None) -> int:
        headers = {
            "Authorization": f"Bearer {self.token}", "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def _times(act: Any, count: int) -> list[float]:
    for _ in range(20):
        act()
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        if not act():
            raise RuntimeError("an empty request failed")
        times.append(time.perf_counter() - begun)
    return times


def _sell(
    port: int, token: str, wishes: list[dict[str, Any]], clients: int
) -> tuple[list[float], float, int]:
    """All wishes by so many clients at once: the times, the whole duration, how many failed."""
    times: list[float] = []
    failed = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal failed
        client = _Client(port, token)
        while True:
            with lock:
                if not wishes:
                    return
                wish = wishes.pop()
            begun = time.perf_counter()
            done = client.sell(wish)
            took = time.perf_counter() - begun
            with lock:
                times.append(took)
                failed += not done

    threads = [threading.Thread(target=work) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, time.perf_counter() - begun, failed


@contextmanager
def _server(app: Flask) -> Iterator[int]:
    """The service under gunicorn as scripts/server runs it, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = app.config["SETTINGS"]
    environment = os.environ | {
        "DATABASE_URL": settings.database_url, "CANTEEN_INSTANCE": str(settings.instance),
        "CANTEEN_LOG_LEVEL": "WARNING", "PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                if _Client(port, "").empty():
                    break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _bare(app: Flask, city: City, count: int) -> list[float]:
    """The same rows as one sale by raw psycopg in one transaction, then everything undone."""
    url = sa.make_url(app.config["SQLALCHEMY_DATABASE_URI"]).set(drivername="postgresql")
    times = []
    at, on = clock.now(), city.today
    items = [item.id for item in city.items]
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        for number in range(count):
            begun = time.perf_counter()
            with connection.transaction():
                _bare_sale(connection, city, items, number, at, on)
            times.append(time.perf_counter() - begun)
        connection.execute("TRUNCATE orders, order_lines, grants, once_keys, quota_uses CASCADE")
        connection.execute("TRUNCATE fundings CASCADE")
        connection.execute("UPDATE menu_items SET taken = 0")
    return times


def _bare_sale(
    connection: psycopg.Connection, city: City, items: list[int], number: int, at: datetime,
    on: date,
) -> None:
    run = connection.execute
    run("INSERT INTO once_keys VALUES ('bench', %s, 'd', '{}', %s)", (f"bench-{number}", at))
    run("UPDATE menu_items SET taken = taken + 1 WHERE id = ANY(%s)", (items,))
    for code in ("day", "week"):
        run(
            "INSERT INTO quota_uses VALUES (%s, %s, %s, 1)"
            " ON CONFLICT (elder_id, period_code, starts_on) DO UPDATE SET used = 1",
            (city.elder.id, code, on),
        )
    order = run(
        "INSERT INTO orders (canteen_id, elder_id, menu_id, \"on\", meal, service, channel, state,"
        " payment, list_fen, discount_fen, subsidy_fen, payable_fen, placed_at, placed_by,"
        " paid_at, paid_on, served_at, note, inputs) VALUES (%s, %s, %s, %s, 'lunch', 'eat_in',"
        " 'till', 'served', 'cash', 2500, 250, 300, 1950, %s, 'bench', %s, %s, %s, '', '{}')"
        " RETURNING id",
        (city.here.id, city.elder.id, city.items[0].menu_id, on, at, at, on, at),
    ).fetchone()[0]  # type: ignore[index]
    for item in items:
        run("INSERT INTO order_lines VALUES (%s, %s, 1, 1500)", (order, item))
    funding = run(
        "INSERT INTO fundings (digest, till_fen, account_fen, enterprise_fen, delivery_fen)"
        " VALUES ('bench', 300, 0, 200, 0) ON CONFLICT (digest) DO UPDATE SET till_fen = 300"
        " RETURNING id"
    ).fetchone()[0]  # type: ignore[index]
    run(
        "INSERT INTO grants (order_id, sign, elder_id, canteen_id, period, \"on\", meal, policy_id,"
        " group_code, funding_id, till_fen, account_fen, enterprise_fen, delivery_fen, made_at)"
        " SELECT %s, 1, %s, %s, '2026-11', %s, 'lunch', max(id), 'G1', %s, 300, 0, 200, 0, %s"
        " FROM policy_versions",
        (order, city.elder.id, city.here.id, on, funding, at),
    )
