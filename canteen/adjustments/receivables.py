"""What payees owe: every statement below nothing, since when, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder
from canteen.payouts.models import Repayment
from canteen.settlements import rules
from canteen.settlements.finding import visible
from canteen.settlements.models import Statement
from canteen.settlements.rules import OFFICES
from canteen.subsidies.granting import GRANTS
from canteen.territory.actors import Actor
from canteen.words import Text

STATES = {
    "review": Text("审核中", "Under review"),
    "open": Text("待抵扣", "To be netted"),
    "stuck": Text("无可抵扣", "Nothing to net against"),
    "noted": Text("到账待复核", "Came, to be confirmed"),
    "rolled": Text("滚入下月", "Rolled on"),
    "netted": Text("已抵扣", "Netted"),
    "repaid": Text("已退回", "Paid back"),
}
OPEN = ("review", "open", "stuck", "noted")
ENDED = ("delisted",)  # signs under which a canteen sells no more


@dataclass(frozen=True)
class Receivable:
    """A statement below nothing: `owed_fen` is above nothing; `since` is the day its month was
    closed, or the oldest month whose remainder was carried into it and is part of it still."""

    statement: Statement
    name: str
    canteen_status: str | None
    owed_fen: int
    since: date
    state: str
    netted_by: Statement | None
    repayment: Repayment | None
    late: bool

    @property
    def repayable(self) -> bool:
        """Whether the payee may pay it back now; see `repaying.note`."""
        return self.state in ("open", "stuck") or (
            self.state == "rolled" and self.netted_by is not None
            and self.netted_by.stage in OFFICES
        )  # fmt: skip


def list_for(
    by: Actor, *, on: date, state: str | None = None, canteen_id: int | None = None
) -> list[Receivable]:
    """Statements below nothing on the actor's ground, what is still open first, oldest first."""
    s, later = Statement, aliased(Statement)
    where: list[Any] = [visible(by), s.total_fen < 0]
    where += [s.canteen_id == canteen_id] if canteen_id else []
    rows = db.session.execute(
        sa.select(
            s, sa.func.coalesce(Canteen.name, Elder.name), Canteen.status, Elder.status, later,
            Repayment, _earning(s, on),
        )
        .outerjoin(Canteen, Canteen.id == s.canteen_id)
        .outerjoin(Elder, Elder.id == s.elder_id)
        .outerjoin(later, later.id == s.carried_into_id)
        .outerjoin(Repayment, Repayment.statement_id == s.id)
        .where(*where)
        .order_by(s.id)
        .execution_options(populate_existing=True)
    ).all()
    ruled = rules.by_ids({row[0].rule_id for row in rows})
    ages = _ages(where)
    found = [
        _receivable(on, ruled[row[0].rule_id].days.debt, ages[row[0].id], *row) for row in rows
    ]
    order = list(STATES)
    found.sort(key=lambda one: (one.state not in OPEN, order.index(one.state), one.since))
    return [one for one in found if state is None or one.state == state]


def lingering(by: Actor, *, on: date) -> list[Receivable]:
    """What is open for longer than its rule's days, under review or not, or can never be netted:
    the district's to see to."""
    return [one for one in list_for(by, on=on) if one.late]


def _ages(where: list[Any]) -> dict[int, datetime]:
    """When the oldest month behind each of these statements was closed, by its id: a remainder
    that is only carried on grows no younger."""
    behind = (
        sa.select(Statement.id.label("head"), Statement.id, Statement.prepared_at)
        .where(*where).cte("behind", recursive=True)
    )  # fmt: skip
    before = aliased(Statement)
    behind = behind.union_all(
        sa.select(behind.c.head, before.id, before.prepared_at)
        .join(behind, before.carried_into_id == behind.c.id)
    )  # fmt: skip
    oldest = sa.select(behind.c.head, sa.func.min(behind.c.prepared_at)).group_by(behind.c.head)
    return {row[0]: row[1] for row in db.session.execute(oldest)}


def _earning(s: Any, on: date) -> Any:
    """Whether the payee earned anything lately, so that there is something to net against."""
    g = GRANTS.c
    months = [on.replace(day=1)]
    while len(months) < 3:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    sold = sa.exists().where(
        g.period.in_([clock.period_of(each) for each in months]),
        g.canteen_id == s.canteen_id, g.sign > 0,
    )
    ate = sa.exists().where(g.elder_id == s.elder_id, g.on >= months[-1], g.sign > 0)
    return sa.or_(
        sa.and_(s.canteen_id.is_not(None), sold.correlate(s)),
        sa.and_(s.elder_id.is_not(None), ate.correlate(s)),
    )


def _receivable(
    on: date, days: int, first: datetime, s: Statement, name: str, canteen_status: str | None,
    elder_status: str | None, later: Statement | None, repayment: Repayment | None, earning: bool,
) -> Receivable:  # fmt: skip
    since = clock.business_date(first)
    if s.stage == "repaid":
        state = "repaid"
    elif repayment is not None:
        state = "noted"
    elif later is not None:
        state = "netted" if later.total_fen > later.carried_fen else "rolled"
    elif s.stage != "carried":
        state = "review"
    else:
        gone = canteen_status in ENDED or elder_status in ("deceased", "moved")
        state = "stuck" if gone or not earning else "open"
    late = state in OPEN and (canteen_status in ENDED or (on - since).days > days)
    return Receivable(
        s, name, canteen_status, -s.total_fen, since, state, later, repayment, late
    )
