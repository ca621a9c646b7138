"""Messages that no phone was reached by: kept, listed, told by hand, by call or by letter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.recording import record_each
from canteen.canteens.models import Operator
from canteen.canteens.reaching import operators_of
from canteen.db import db, insert
from canteen.elders import seeing
from canteen.elders.models import Elder
from canteen.elders.phones import changed_by
from canteen.notices.models import Notice
from canteen.payments.models import OutboxMessage
from canteen.payouts.models import BankChange
from canteen.payouts.warning import TIMES
from canteen.settlements.booking import numbered
from canteen.territory.actors import BUREAU, Actor
from canteen.words import Text

BY_HAND = "by_hand"
KINDS = {
    "bank_change": Text("收款账户变更", "Change of account"),
    "phone_change": Text("联系电话变更", "Change of phone"),
    "order_gone": Text("食堂不供餐，订单取消", "Order cancelled, canteen not serving"),
}
# Where money goes to is told to whoever has no phone as well: by letter.
TOLD = sa.or_(Notice.to_phone != "", Notice.kind == "bank_change")


@dataclass(frozen=True)
class Letter:
    """One message to be told by hand: to whom, and why it was not carried."""

    notice: Notice
    name: str
    state: str | None
    error: str | None


def to_send(by: Actor, limit: int = 200) -> list[Letter]:
    """The messages on an actor's ground that reached no phone yet, or have none; oldest first."""
    m = OutboxMessage
    rows = db.session.execute(
        sa.select(Notice, sa.func.coalesce(Elder.name, Operator.name), m.state, m.last_error)
        .outerjoin(Elder, Elder.id == Notice.elder_id)
        .outerjoin(Operator, Operator.id == Notice.operator_id)
        .outerjoin(m, m.key == numbered("notice:", Notice.id))
        .where(TOLD, sa.func.coalesce(m.state, "") != "done", _mine(by))
        .order_by(Notice.id).limit(limit)
    )  # fmt: skip
    return [Letter(*row) for row in rows]


def waiting_count(by: Actor) -> int:
    """How many messages on an actor's ground wait to be told by hand."""
    m = OutboxMessage
    query = (
        sa.select(sa.func.count()).select_from(Notice)
        .outerjoin(m, m.key == numbered("notice:", Notice.id))
        .where(TOLD, sa.func.coalesce(m.state, "") != "done", _mine(by))
    )  # fmt: skip
    return db.session.scalar(query) or 0


def sent_by_hand(notice_ids: list[int], by: Actor, *, at: datetime) -> int:
    """Note that somebody has told these; none of them is carried any more. Gives how many."""
    by.must_be(*BUREAU)
    mine = db.session.scalars(
        sa.select(Notice.id).where(Notice.id.in_(notice_ids), TOLD, _mine(by))
        .order_by(Notice.id)
    ).all()  # fmt: skip
    noted = []
    for id_ in mine:
        row = {
            "kind": "notice", "reference": f"notice:{id_}", "key": f"notice:{id_}",
            "payload": {"notice_id": id_}, "state": "done", "attempts": 0, "due_at": at,
            "made_at": at, "done_at": at, "provider_id": BY_HAND, "last_error": None,
        }
        done = {name: row[name] for name in ("state", "done_at", "provider_id", "last_error")}
        made = db.session.execute(
            insert(OutboxMessage.__table__).values(row).on_conflict_do_update(
                index_elements=["key"], set_=done, where=OutboxMessage.state != "done"
            ).returning(OutboxMessage.id)
        ).scalar()  # fmt: skip
        if made is not None:
            noted.append(id_)
    record_each(by.label, "told_by_hand", "notice", {id_: {} for id_ in noted})
    return len(noted)


def _mine(by: Actor) -> Any:
    """The messages to elders and operators on an actor's ground. Of an account somebody asked to
    change, or a phone they changed, a colleague tells: who did it could keep it from them."""
    own = sa.exists().where(
        BankChange.asked_by == by.label,
        Notice.key.in_([numbered("bank_change:", BankChange.id) + sa.literal(each)
                        for each in TIMES]),
    )
    elders = sa.select(Elder.id).where(seeing.visible(by))
    anybodys = Notice.operator_id.is_not(None) if by.role == "city" else sa.false()
    here = sa.or_(Notice.elder_id.in_(elders), Notice.operator_id.in_(operators_of(by)), anybodys)
    moved = sa.and_(
        Notice.kind == "phone_change",
        Notice.key.endswith(changed_by(by.label), autoescape=True),
    )
    return sa.and_(here, sa.not_(own), sa.not_(moved))
