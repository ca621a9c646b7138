"""The day at a glance: what was sold, the shifts and the cash beside them, what others owe."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import MEALS
from canteen.db import db
from canteen.orders.models import Cancellation, Order, OrderRefund
from canteen.settlements import problems
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.tills.models import CashMove, Shift, Till, TillEntry
from canteen.tills.sums import Refunds, Sums, grouped, refunds, rows_of, total
from canteen.web.cashier.door import blueprint, day_asked, here
from canteen.web.cashier.shifts import shown
from canteen.web.guards import actor


@blueprint.get("/day")
def day() -> ResponseReturnValue:
    """Today, or an earlier day."""
    canteen, today, by = here(), clock.business_date(), actor()
    on = min(day_asked(request.args.get("on", ""), today), today)
    mine = Order.canteen_id == canteen.id
    undone_on = sa.select(Cancellation.order_id).where(Cancellation.on == on)
    cancelled = [mine, Order.paid_on.is_not(None), Order.id.in_(undone_on)]
    sold, back = rows_of(mine, Order.paid_on == on), rows_of(*cancelled)
    dishes, before = refunds(mine, OrderRefund.on == on), refunds(*cancelled)
    earned = db.session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(Grant.enterprise_fen), 0),
            sa.func.coalesce(sa.func.sum(Grant.account_fen), 0),
        ).where(Grant.canteen_id == canteen.id, Grant.on == on)
    ).one()
    net = _net(total(sold), total(back), dishes, before)
    return render_template(
        "cashier/day.html", canteen=canteen, on=on, today=today,
        sold=grouped(sold, "meal", list(MEALS)), back=grouped(back, "meal", list(MEALS)),
        taken=total(sold), net=net, dishes=dishes, before=before,
        blind=_blind(by, on), shifts=_shifts(canteen.id, on, by),
        outside=_outside(canteen.id, on, total(sold).cash_fen - net.cash_fen),
        enterprise_fen=int(earned[0]), account_fen=int(earned[1]), meals=MEALS,
        sees_all=by.role == "manager", problems=problems.to_decide(by),
        earlier=on - timedelta(days=1),
        later=on + timedelta(days=1) if on < today else None,
    )  # fmt: skip


def _net(sold: Sums, back: Sums, dishes: Refunds, before: Refunds) -> Sums:
    """What remains of a day: sold, less taken back whole, less single dishes.

    A sale taken back whole gives only what the dishes taken back `before` had left.
    """
    names = ("meals", "elder_meals", "subsidised", "subsidy_fen", "excess_fen")
    of_dishes = ("list_fen", "discount_fen", "cash_fen", "online_fen")
    return Sums(
        **{name: getattr(sold, name) - getattr(back, name) for name in names},
        **{
            name: getattr(sold, name) - getattr(back, name)
            - getattr(dishes, name) + getattr(before, name)
            for name in of_dishes
        },
    )  # fmt: skip


def _blind(by: Actor, on: date) -> bool:
    """Whether a drawer of the day is still to be counted; one of a till withdrawn never will."""
    if by.role == "manager":
        return False
    _, ends = _hours(on)
    waiting = sa.exists().where(
        Shift.canteen_id == by.canteen_id, Shift.closed_at.is_(None), Shift.opened_at < ends,
        Shift.till_id == Till.id, Till.withdrawn_at.is_(None),
    )
    return on >= clock.business_date() - timedelta(days=1) and bool(
        db.session.scalar(sa.select(waiting))
    )


def _shifts(canteen_id: int, on: date, by: Actor) -> Any:
    """The shifts that were open at some time of a day; of a cashier, their own."""
    begins, ends = _hours(on)
    wanted = sa.select(Shift.id).where(
        Shift.canteen_id == canteen_id, Shift.opened_at < ends,
        sa.or_(Shift.closed_at.is_(None), Shift.closed_at >= begins),
    )
    if by.role != "manager":
        wanted = wanted.where(Shift.cashier_id == by.user_id)
    return shown(wanted.order_by(Shift.id.desc()).limit(60))


def _outside(canteen_id: int, on: date, back_fen: int) -> tuple[int, int]:
    """Cash of a day that went through no shift, in fen: taken, and given back.

    `back_fen` is all the cash given back that day.
    """
    begins, ends = _hours(on)
    in_shift = sa.exists().where(
        TillEntry.order_id == Order.id, TillEntry.kind == "sale", TillEntry.shift_id.is_not(None)
    )
    in_drawer = sa.exists().where(CashMove.order_id == Order.id, CashMove.kind == "collected")
    taken = sa.select(sa.func.coalesce(sa.func.sum(Order.cash_fen), 0)).where(
        Order.canteen_id == canteen_id, Order.paid_on == on, sa.not_(in_shift), sa.not_(in_drawer)
    )
    given = (
        sa.select(sa.func.coalesce(sa.func.sum(CashMove.fen), 0))
        .join(Order, Order.id == CashMove.order_id)
        .where(
            CashMove.kind == "refunded", CashMove.moved_at >= begins, CashMove.moved_at < ends,
            Order.canteen_id == canteen_id, Order.paid_on.is_not(None),
        )
    )  # fmt: skip
    return int(db.session.scalar(taken) or 0), back_fen - int(db.session.scalar(given) or 0)


def _hours(on: date) -> tuple[datetime, datetime]:
    """The instants at which a day begins and ends in Shanghai."""
    return clock.instant(on, time()), clock.instant(on + timedelta(days=1), time())
