"""Checks of the caps: an independent recount of every elder's meals, and the counters beside it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.db import db
from canteen.orders.models import Order
from canteen.subsidies.models import Grant, PolicyVersion, QuotaUse
from canteen.tills.ruling import beyond_caps
from canteen.verifying.findings import Check, Found, differences, month_of, stream, week_of
from canteen.words import Text

# What a policy may cap, the counter's name for it and the day that period begins.
KINDS: tuple[tuple[str, str, Any], ...] = (
    ("per_day", "day", lambda on: on),
    ("per_week", "week", week_of),
    ("per_month", "month", month_of),
    ("per_meal", "meal:", lambda on: on),
)


def _caps(kind: str) -> dict[int, int]:
    """The cap of each published policy that has one of this kind, read from its text."""
    rows = db.session.execute(sa.select(PolicyVersion.id, PolicyVersion.body))
    found = {row.id: (row.body.get("caps") or {}).get(kind) for row in rows}
    return {policy_id: cap for policy_id, cap in found.items() if cap is not None}


def _recount(kind: str, code: str, begins: Any) -> Any | None:
    """Net grants of every elder in every period of one kind, from the grants alone."""
    caps = _caps(kind)
    if not caps:
        return None
    starts = begins(Grant.on)
    counter = (sa.literal(code) + Grant.meal) if code == "meal:" else sa.literal(code)
    # A meal counts from its first row until it is cancelled, whatever is decided about its money.
    used = sa.func.sum(
        sa.case((Grant.cause == "cancelled", -1), (Grant.number == 1, 1), else_=0)
    )
    # What a till gave beyond the caps, at the programme's cost, has no part for the enterprise
    # and moved no counter.
    beyond = sa.exists().where(Order.id == Grant.order_id, beyond_caps())
    return (
        sa.select(
            Grant.elder_id.label("elder_id"), counter.label("period_code"),
            starts.label("starts_on"), used.label("amount"),
            sa.func.max(sa.case(caps, value=Grant.policy_id)).label("cap"),
        )
        .where(
            Grant.policy_id.in_(caps),
            (Grant.till_fen != 0) | (Grant.account_fen != 0) | (Grant.enterprise_fen != 0),
            (Grant.enterprise_fen != 0) | ~beyond,
        )
        .group_by(Grant.elder_id, counter, starts)
    )  # fmt: skip


def within_caps() -> Found:
    """No elder has more subsidised meals in a day, week, month or meal than their policy allows."""
    for kind, code, begins in KINDS:
        query = _recount(kind, code, begins)
        if query is None:
            continue
        counted = query.subquery()
        for row in stream(sa.select(counted).where(counted.c.amount > counted.c.cap)):
            yield f"elder {row.elder_id}", Text(
                "从 {start} 起的 {code} 内补贴 {used} 餐，上限 {cap} 餐",
                "{used} subsidised meals in the {code} from {start}, at most {cap} allowed",
            ).format(
                start=row.starts_on, code=row.period_code, used=int(row.amount), cap=int(row.cap)
            )


def counters_match() -> Found:
    """The counters that guard the caps say what the grants say."""
    keys = ("elder_id", "period_code", "starts_on")
    recounts = [query for kind in KINDS if (query := _recount(*kind)) is not None]
    expected = [
        sa.select(*(sums.c[key] for key in keys), sums.c.amount)
        for sums in (query.subquery() for query in recounts)
    ]
    actual = [
        sa.select(
            QuotaUse.elder_id, QuotaUse.period_code, QuotaUse.starts_on,
            QuotaUse.used.label("amount"),
        )
    ]  # fmt: skip
    for row in differences(keys, expected, actual):
        yield f"elder {row.elder_id}", Text(
            "从 {start} 起的 {code}：记录 {grants} 餐，计数 {counter} 餐",
            "{code} from {start}: {grants} grants, the counter says {counter}",
        ).format(
            start=row.starts_on, code=row.period_code, grants=int(row.expected),
            counter=int(row.actual),
        )


CHECKS = (
    Check("within_caps", Text("补贴未超次数上限", "Grants are within the caps"), within_caps),
    Check(
        "counters_match", Text("次数计数与记录一致", "Counters equal the grants"), counters_match
    ),
)
