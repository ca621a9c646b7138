"""Posting the tills: what was paid or given back up to a day, once, an entry a canteen and day."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import changed, db, is_postgresql
from canteen.ledger.chart import PLATFORM
from canteen.ledger.posting import post_set
from canteen.orders.models import BookingRun, Cancellation, Order, OrderRefund
from canteen.territory.actors import Actor


def post_day(up_to: date, by: Actor) -> int:
    """Book every paid order, refund and cancellation up to a day that no run has taken yet.

    Set-based: the run marks what it takes, then posts it with two INSERT … SELECT. What arrives
    late for a day already booked is booked for that day by the next run. Gives the number of
    entries written. See docs/ledger.md for the accounts.
    """
    run = BookingRun(up_to=up_to, run_at=clock.now(), run_by=by.label)
    db.session.add(run)
    db.session.flush()
    orders = changed(
        db.session.execute(
            sa.update(Order)
            .where(Order.booked_in.is_(None), Order.paid_on <= up_to)
            .values(booked_in=run.id)
            .execution_options(synchronize_session=False)
        )
    )
    # A cancellation counts only for an order that was booked: an unpaid one never was.
    booked = sa.select(Order.id).where(Order.booked_in.is_not(None))
    given_back = sum(
        changed(
            db.session.execute(
                sa.update(back)
                .where(back.booked_in.is_(None), back.on <= up_to, back.order_id.in_(booked))
                .values(booked_in=run.id)
                .execution_options(synchronize_session=False)
            )
        )
        for back in (OrderRefund, Cancellation)
    )
    if not orders and not given_back:
        db.session.delete(run)
        db.session.flush()
        return 0
    return post_set(_entries(run), _postings(run))


def _events(run_id: int) -> sa.Subquery:
    """What a run took, by canteen and day: list, discount, subsidy, cash and online fen.

    Orders count on the day they were paid; refunds of single dishes and cancellations, negative,
    on the day they were made. A cancellation takes back what the refunds before it had left.
    """
    parts = (
        ("list_fen", Order.list_fen), ("discount_fen", Order.discount_fen),
        ("subsidy_fen", Order.subsidy_fen), ("cash_fen", Order.cash_fen),
        ("online_fen", Order.payable_fen - Order.cash_fen),
    )
    of_dishes = (
        ("list_fen", OrderRefund.list_fen), ("discount_fen", OrderRefund.discount_fen),
        ("subsidy_fen", sa.literal(0)), ("cash_fen", OrderRefund.cash_fen),
        ("online_fen", OrderRefund.payable_fen - OrderRefund.cash_fen),
    )
    sold = (
        sa.select(
            Order.booked_in.label("run"), Order.canteen_id, Order.paid_on.label("on"),
            *(sa.func.sum(value).label(name) for name, value in parts),
        )
        .where(Order.booked_in == run_id)
        .group_by(Order.booked_in, Order.canteen_id, Order.paid_on)
    )
    undone = (
        sa.select(
            Cancellation.booked_in.label("run"), Order.canteen_id, Cancellation.on,
            *((-sa.func.sum(value)).label(name) for name, value in parts),
        )
        .join(Order, Order.id == Cancellation.order_id)
        .where(Cancellation.booked_in == run_id)
        .group_by(Cancellation.booked_in, Order.canteen_id, Cancellation.on)
    )
    refunded = (
        sa.select(
            OrderRefund.booked_in.label("run"), Order.canteen_id, OrderRefund.on,
            *((-sa.func.sum(value)).label(name) for name, value in of_dishes),
        )
        .join(Order, Order.id == OrderRefund.order_id)
        .where(OrderRefund.booked_in == run_id)
        .group_by(OrderRefund.booked_in, Order.canteen_id, OrderRefund.on)
    )
    not_twice = (
        sa.select(
            Cancellation.booked_in.label("run"), Order.canteen_id, Cancellation.on,
            *(sa.func.sum(value).label(name) for name, value in of_dishes),
        )
        .join(Order, Order.id == Cancellation.order_id)
        .join(OrderRefund, OrderRefund.order_id == Order.id)
        .where(Cancellation.booked_in == run_id)
        .group_by(Cancellation.booked_in, Order.canteen_id, Cancellation.on)
    )
    both = sa.union_all(sold, undone, refunded, not_twice).subquery()
    return (
        sa.select(
            both.c.run, both.c.canteen_id, both.c.on,
            *(sa.func.sum(both.c[name]).label(name) for name, _ in parts),
        )
        .group_by(both.c.run, both.c.canteen_id, both.c.on)
        .subquery()
    )


def _key(sums: sa.Subquery) -> Any:
    """"day:<canteen>:<day>:<run>", spelled alike by both databases."""
    on = sums.c.on
    text = sa.func.to_char(on, "YYYY-MM-DD") if is_postgresql() else sa.cast(on, sa.String)
    return (
        sa.literal("day:") + sa.cast(sums.c.canteen_id, sa.String) + ":" + text + ":"
        + sa.cast(sums.c.run, sa.String)
    )


def _entries(run: BookingRun) -> sa.Select[Any]:
    sums = _events(run.id)
    return sa.select(
        _key(sums), sa.literal("day"), sums.c.on, sa.literal(""),
        sa.literal(run.run_at, type_=BookingRun.run_at.type),
    ).order_by(sums.c.on, sums.c.canteen_id)


def _postings(run: BookingRun) -> sa.Select[Any]:
    sums = _events(run.id)
    book = sa.literal("canteen:") + sa.cast(sums.c.canteen_id, sa.String)
    legs = (
        (book, "till_cash", sums.c.cash_fen),
        (book, "online_due", sums.c.online_fen),
        (book, "subsidy_due", sums.c.subsidy_fen),
        (book, "own_discount", sums.c.discount_fen),
        (book, "meal_sales", -sums.c.list_fen),
        (sa.literal(PLATFORM), "provider_balance", sums.c.online_fen),
        (sa.literal(PLATFORM), "due_to_canteens", -sums.c.online_fen),
    )
    each = [
        sa.select(
            _key(sums).label("key"), of.label("book"), sa.literal(code).label("code"),
            fen.label("amount_fen"),
        )
        for of, code, fen in legs
    ]
    return sa.select(sa.union_all(*each).subquery())
