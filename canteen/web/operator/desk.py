"""The operator's first page: what waits for it, the latest months, its canteens' sales today."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import render_template
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import finding
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.orders.models import Order
from canteen.settlements import correcting, tracing
from canteen.settlements import finding as settled
from canteen.settlements.models import STAGES, Statement
from canteen.territory.actors import ROLES, Actor
from canteen.web.bureau import worklist
from canteen.web.bureau.canteens import canteen_page
from canteen.web.bureau.desk import papers_page
from canteen.web.guards import actor
from canteen.web.operator.door import blueprint

MONTHS = 3
OFFICES = {
    "operator": ROLES["operator"], "street": ROLES["street"], "district": ROLES["district"],
    "city": ROLES["city"], "paid": tracing.PAID,
}


@blueprint.get("")
def desk() -> ResponseReturnValue:
    """What waits for me, how far the latest months are, and today at my canteens."""
    by, today = actor(), clock.business_date()
    work = settled.work_list(by, on=today, limit=1)
    return render_template(
        "operator/desk.html", months=months(by), today=today, sales=sales(by, today),
        ready=work.waiting_count - len(correcting.asked_of(by)),
        tasks=worklist.tasks(by, today, work),
    )


def months(by: Actor) -> list[dict[str, Any]]:
    """The latest months, each with its sums by stage in the order of the chain."""
    s = Statement
    rows = db.session.execute(
        sa.select(
            s.period, s.stage, sa.func.count().label("number"),
            sa.func.sum(s.total_fen).label("fen"), sa.func.min(s.stage_since).label("since"),
            sa.func.max(s.due_on).label("due"),
        ).where(settled.visible(by)).group_by(s.period, s.stage)
    ).all()  # fmt: skip
    order = list(STAGES)
    found: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: order.index(row.stage)):
        month = found.setdefault(row.period, {"period": row.period, "total_fen": 0, "parts": []})
        month["parts"].append(row)
        month["total_fen"] += int(row.fen)
    for month in found.values():
        month["chain"] = _chain(month["parts"])
    return [found[period] for period in sorted(found, reverse=True)[:MONTHS]]


def _chain(parts: list[Any]) -> list[dict[str, Any]]:
    """The month as one chain: each office with what stands at it, done once nothing is behind."""
    at = {row.stage: row for row in parts}
    steps, behind = [], True
    for office in ("operator", "street", "district", "city", "paid"):
        stages = ("approved", *tracing.ENDED) if office == "paid" else (office,)
        held = [at[stage] for stage in stages if stage in at]
        words = None
        if office == "paid":
            waits = "approved" in at
            state = "current" if waits else "done" if held else "waiting"
            words = tracing.ARRIVED if held and state == "done" else None
        else:
            state = "current" if held else "done" if behind else "waiting"
        if held and office != "paid":
            behind = False
        step: dict[str, Any] = {
            "label": OFFICES[office], "state": state, "state_words": words
        }
        if held:
            fen = sum(int(row.fen) for row in held)
            step["held_fen"], step["number"] = fen, sum(row.number for row in held)
            step["since"] = min(row.since for row in held)
            step["due"] = max((row.due for row in held if row.due), default=None)
        steps.append(step)
    return steps


def sales(by: Actor, today: date) -> list[Any]:
    """Today at each canteen: meals, sales, subsidy advanced and cash; canteens without any too."""
    sold = sa.and_(Order.canteen_id == Canteen.id, Order.on == today, Order.state != "cancelled")
    return list(db.session.execute(
        sa.select(
            Canteen, sa.func.count(Order.id).label("meals"),
            sa.func.coalesce(sa.func.sum(Order.list_fen), 0).label("list_fen"),
            sa.func.coalesce(sa.func.sum(Order.subsidy_fen), 0).label("subsidy_fen"),
            sa.func.coalesce(sa.func.sum(Order.payable_fen), 0).label("payable_fen"),
        ).outerjoin(Order, sold).where(finding.visible(by))
        .group_by(Canteen.id).order_by(Canteen.district_code, Canteen.name, Canteen.id)
    ))  # fmt: skip


@blueprint.get("/canteens")
def list_canteens() -> ResponseReturnValue:
    """My canteens with their sign, grade and today's sales."""
    by, today = actor(), clock.business_date()
    return render_template("operator/canteens.html", sales=sales(by, today), today=today)


@blueprint.get("/canteens/<int:canteen_id>")
def canteen(canteen_id: int) -> ResponseReturnValue:
    """One of my canteens."""
    return canteen_page(actor(), canteen_id)


@blueprint.get("/papers")
def list_papers() -> ResponseReturnValue:
    """The papers of my canteens that end soon."""
    return papers_page(actor())
