"""The rows of a sale by raw psycopg, in one transaction: the limit the till is measured against."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.db import db, transaction
from canteen.tills.models import Till

if TYPE_CHECKING:
    from scripts.benching.till import World


def bare_sales(app: Flask, world: World, count: int) -> list[float]:
    """The same rows as one sale by raw psycopg in one transaction, then everything undone."""
    url = sa.make_url(app.config["SQLALCHEMY_DATABASE_URI"]).set(drivername="postgresql")
    with transaction():
        till = Till(canteen_id=world.canteen_id, name="bare", salt="", enrolled_at=clock.now(),
                    enrolled_by="bench")  # fmt: skip
        db.session.add(till)
    till_id = till.id
    diners = world.diners[:count]
    times = []
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        for number, (elder_id, _) in enumerate(diners, 1):
            begun = time.perf_counter()
            with connection.transaction():
                _sale(connection, world, till_id, number, elder_id)
            times.append(time.perf_counter() - begun)
        connection.execute("ALTER TABLE till_entries DISABLE TRIGGER USER")
        connection.execute("TRUNCATE orders, order_lines, grants, quota_uses, fundings CASCADE")
        connection.execute("ALTER TABLE till_entries ENABLE TRIGGER USER")
        connection.execute("UPDATE menu_items SET taken = 0")
        connection.execute("DELETE FROM tills")
    return times


def _sale(
    connection: psycopg.Connection, world: World, till_id: int, number: int, elder_id: int
) -> None:
    run, at, on = connection.execute, clock.now(), world.today
    items = [item for item, _ in world.items]
    run("UPDATE tills SET head = %s, head_mac = 'm', claimed = %s WHERE id = %s",
        (number, number, till_id))  # fmt: skip
    run("UPDATE menu_items SET taken = taken + 1 WHERE id = ANY(%s)", (items,))
    for code in ("day", "week"):
        run(
            "INSERT INTO quota_uses VALUES (%s, %s, %s, 1)"
            " ON CONFLICT (elder_id, period_code, starts_on) DO UPDATE SET used = 1",
            (elder_id, code, on),
        )
    order = run(
        'INSERT INTO orders (canteen_id, elder_id, menu_id, "on", meal, service, channel, state,'
        " payment, list_fen, discount_fen, subsidy_fen, payable_fen, cash_fen, excess_fen,"
        " placed_at, placed_by, paid_at, paid_on, served_at, note, inputs) VALUES"
        " (%s, %s, %s, %s, 'lunch', 'eat_in', 'till', 'served', 'cash', 2500, 250, 300, 1950,"
        " 1950, 0, %s, 'bench', %s, %s, %s, '', '{}') RETURNING id",
        (world.canteen_id, elder_id, world.menu_id, on, at, at, on, at),
    ).fetchone()[0]  # type: ignore[index]
    for item in items:
        run("INSERT INTO order_lines VALUES (%s, %s, 1, 1500)", (order, item))
    funding = run(
        "INSERT INTO fundings (digest, till_fen, account_fen, enterprise_fen, delivery_fen)"
        " VALUES ('bench', 300, 0, 200, 0) ON CONFLICT (digest) DO UPDATE SET till_fen = 300"
        " RETURNING id"
    ).fetchone()[0]  # type: ignore[index]
    run(
        'INSERT INTO grants (order_id, sign, elder_id, canteen_id, period, "on", meal, policy_id,'
        " group_code, funding_id, till_fen, account_fen, enterprise_fen, delivery_fen, made_at)"
        " SELECT %s, 1, %s, %s, '2026-11', %s, 'lunch', max(id), 'G1', %s, 300, 0, 200, 0, %s"
        " FROM policy_versions",
        (order, elder_id, world.canteen_id, on, funding, at),
    )
    run(
        "INSERT INTO till_entries (till_id, number, kind, order_id, kept, device_at, made_at,"
        " received_at, body, mac, outcome, notes) VALUES (%s, %s, 'sale', %s, false, %s, %s, %s,"
        " %s, %s, '{}', '[]')",
        (till_id, number, order, at, at, at, "x" * 600, "0" * 64),
    )
