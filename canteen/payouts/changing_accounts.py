"""Where money goes to is changed slowly: asked for, told to the old contact, confirmed by another.

The wait gives whoever is paid now the time to say no. [D] Three days is our own default
(`CANTEEN_ACCOUNT_WAIT_DAYS`); no published rule of the programme names a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import config
from canteen.audit.recording import record
from canteen.canteens.models import Canteen, Operator
from canteen.canteens.reaching import operators_of
from canteen.db import db, insert
from canteen.elders import accounts, seeing
from canteen.elders.models import Elder
from canteen.errors import Forbidden, NotFound
from canteen.notices.models import Notice
from canteen.notices.telling import tell
from canteen.payouts.account_refusals import (
    AccountNeeded,
    ChangeNotFound,
    ChangeWaits,
    NotTold,
    NotWaiting,
    SameAccount,
    SameHand,
    ToldYourself,
    TooEarly,
)
from canteen.payouts.models import BankChange, PayoutBatch
from canteen.payouts.warning import (
    KIND,
    day_of,
    paid_before,
    tail,
    told_by,
    untold,
    warn,
)
from canteen.reasons import reason_of
from canteen.settlements.models import Payout, Statement
from canteen.settlements.paying_out import NO_ACCOUNT
from canteen.territory.actors import BUREAU, Actor
from canteen.words import Text

CHANGE_STATES = {
    "waiting": Text("待确认", "To be confirmed"),
    "confirmed": Text("已确认", "Confirmed"),
    "refused": Text("未同意", "Refused"),
    "withdrawn": Text("已撤回", "Withdrawn"),
}
DONE = Text(
    "{who}的助餐款收款账户已改为{new}。如果不是您要求的，请马上联系街道或区民政局。",
    "{who} is now paid to an account {new}. If you did not ask for this, tell your street office or"
    " district bureau at once.",
)


def ask(
    new_account: str, by: Actor, *, at: datetime, operator_id: int | None = None,
    elder_id: int | None = None, reason: str = "",
) -> int:
    """Ask that a payee be paid to another account; gives the change's id. Nothing changes yet.

    The operator itself, or an office on whose ground the payee is. An empty account takes an
    elder's away. A very first account need not wait, but needs the second person as well; one
    after another, with none in between, is a change. The contact on record is told at once, and
    those it replaced lately. Refuses with AccountNeeded, SameAccount, ChangeWaits, NotFound.
    """
    payee = _payee(operator_id, elder_id, by)
    account = accounts.checked(new_account) or ""
    old = payee.payout_account or ""
    if not account and operator_id is not None:
        raise AccountNeeded(field="payout_account")
    if account == old:
        raise SameAccount(field="payout_account")
    known = old or paid_before([payee.id], operators=elder_id is None)
    row = row_of(
        account, old, by, at, waits=bool(known), operator_id=operator_id, elder_id=elder_id,
        reason=reason,
    )
    waiting = {"index_where": BankChange.state == "waiting"}
    column = "operator_id" if operator_id is not None else "elder_id"
    made = db.session.execute(
        insert(BankChange.__table__).values(row)
        .on_conflict_do_nothing(index_elements=[column], **waiting).returning(BankChange.id)
    ).scalar()  # fmt: skip
    if made is None:
        raise ChangeWaits(field="payout_account")
    warn([(made, row, payee)], at)
    record(by.label, "ask_account", "bank_change", made, traced(row))
    return made


def confirm(change_id: int, by: Actor, *, at: datetime) -> None:
    """The second person has checked it with the payee: it holds from now on. Of an account that
    is changed the old contact has been told: the message was carried, or ticked off by hand by
    somebody else again.

    For an elder street, district or city, for an enterprise district or city. What lies in a
    released batch keeps its account; a payout that failed for want of one is ready, and fails
    where it was taken away. Refuses with ChangeNotFound, NotWaiting, SameHand, TooEarly, NotTold,
    ToldYourself.
    """
    change = _held(change_id, by)
    _decider(change, by)
    if change.asked_by == by.label or by.user_id is None:
        raise SameHand()
    if at < change.not_before:
        raise TooEarly(when=day_of(change.not_before))
    if db.session.scalar(sa.select(untold()).where(BankChange.id == change_id)):
        raise NotTold()
    if db.session.scalar(sa.select(told_by(by)).where(BankChange.id == change_id)):
        raise ToldYourself()
    payee: Any = _payee_of(change)
    payee.payout_account = change.new_account or (None if change.elder_id else "")
    if change.elder_id is not None:
        payee.updated_at = at
    _decide(change, "confirmed", "", by, at)
    _let_go_on(change)
    key = f"bank_change:{change.id}"
    told = db.session.scalar(sa.select(Notice.to_phone).where(Notice.key == f"{key}:asked"))
    tell(
        f"{key}:confirmed", KIND,
        DONE.format(who=payee.name, new=tail(change.new_account)), at=at,
        operator_id=change.operator_id, elder_id=change.elder_id,
        phone=told if told is not None else (payee.phone or "")[:20],
        path="/operator/account" if change.operator_id else "",
    )  # fmt: skip
    record(by.label, "confirm_account", "bank_change", change.id, traced(_plain(change)))


def refuse(change_id: int, reason: str, by: Actor, *, at: datetime) -> None:
    """It is not what the payee wants; the account stays. Refuses ReasonMissing."""
    change = _held(change_id, by)
    _decider(change, by)
    reason = reason_of(reason)
    _decide(change, "refused", reason, by, at)
    record(by.label, "refuse_account", "bank_change", change.id, {"reason": reason[:200]})


def withdraw(change_id: int, by: Actor, *, at: datetime) -> None:
    """Whoever asked takes the wish back, or the operator it is about."""
    change = _held(change_id, by)
    own = by.role == "operator" and change.operator_id == by.operator_id
    if change.asked_by != by.label and not own:
        raise Forbidden()
    _decide(change, "withdrawn", "", by, at)
    record(by.label, "withdraw_account", "bank_change", change.id)


def visible(by: Actor) -> Any:
    """The changes an actor may see: an operator's own, an office's of payees on its ground."""
    if by.role == "operator":
        return BankChange.operator_id == by.operator_id
    if by.role not in BUREAU:
        return sa.false()
    elders = sa.select(Elder.id).where(seeing.visible(by))
    anybodys = BankChange.operator_id.is_not(None) if by.role == "city" else sa.false()
    return sa.or_(
        BankChange.elder_id.in_(elders), BankChange.operator_id.in_(operators_of(by)), anybodys
    )


def decidable(by: Actor) -> Any:
    """The waiting changes this person may confirm, now or when their wait is over."""
    mine = sa.and_(BankChange.state == "waiting", BankChange.asked_by != by.label, visible(by))
    if by.role in ("district", "city"):
        return mine
    return sa.and_(mine, BankChange.elder_id.is_not(None)) if by.role == "street" else sa.false()


def waiting_count(by: Actor, at: datetime) -> int:
    """How many changes this person may confirm now."""
    due = sa.and_(decidable(by), BankChange.not_before <= at, sa.not_(told_by(by)))
    return db.session.scalar(sa.select(sa.func.count()).select_from(BankChange).where(due)) or 0


def waiting_of(operator_id: int | None = None, elder_id: int | None = None) -> BankChange | None:
    """The change of one payee that waits, if there is one."""
    return db.session.scalar(
        sa.select(BankChange).where(
            BankChange.state == "waiting",
            BankChange.operator_id == operator_id if operator_id is not None
            else BankChange.elder_id == elder_id,
        )
    )  # fmt: skip


def row_of(
    account: str, old: str, by: Actor, at: datetime, *, waits: bool,
    operator_id: int | None = None, elder_id: int | None = None, reason: str = "",
) -> dict[str, Any]:
    """A wish as it is kept, and until when it waits, if it does."""
    wait = timedelta(days=config.current().account_wait_days) if waits else timedelta()
    return {
        "operator_id": operator_id, "elder_id": elder_id, "old_account": old,
        "new_account": account, "reason": reason.strip()[:200], "state": "waiting",
        "asked_by": by.label, "asked_at": at, "not_before": at + wait, "decision": "",
    }


def _payee(operator_id: int | None, elder_id: int | None, by: Actor) -> Any:
    """Whom it is about, if the actor may ask for them."""
    if (operator_id is None) == (elder_id is None):
        raise ValueError("a change of account is one operator's or one elder's")
    if elder_id is not None:
        by.must_be(*BUREAU)
        return seeing.get_for(by, elder_id, lock=True)
    by.must_be("operator", *BUREAU)
    operator = db.session.get(
        Operator, operator_id, populate_existing=True, with_for_update=True
    )
    if operator is None or (by.role == "operator" and by.operator_id != operator_id):
        raise NotFound()
    if by.role in ("street", "district"):
        here = operators_of(by).where(Canteen.operator_id == operator_id)
        # One that was only just registered has no canteen yet.
        own = sa.select(Canteen.id).where(Canteen.operator_id == operator_id)
        if not db.session.scalar(sa.select(here.exists())) and db.session.scalar(own.limit(1)):
            raise NotFound()
    return operator


def _payee_of(change: BankChange) -> Any:
    if change.elder_id is not None:
        return db.session.get_one(Elder, change.elder_id, with_for_update=True)
    return db.session.get_one(Operator, change.operator_id, with_for_update=True)


def _held(change_id: int, by: Actor) -> BankChange:
    change = db.session.scalar(
        sa.select(BankChange).where(BankChange.id == change_id, visible(by))
        .with_for_update(of=BankChange.__table__).execution_options(populate_existing=True)
    )  # fmt: skip
    if change is None:
        raise ChangeNotFound()
    if change.state != "waiting":
        raise NotWaiting(state=CHANGE_STATES[change.state])
    return change


def _decider(change: BankChange, by: Actor) -> None:
    by.must_be(*(BUREAU if change.elder_id is not None else ("district", "city")))


def _decide(change: BankChange, state: str, said: str, by: Actor, at: datetime) -> None:
    change.state, change.decision = state, said[:200]
    change.decided_by, change.decided_at = by.label, at
    db.session.flush()


def _let_go_on(change: BankChange) -> None:
    """Payouts that only waited for an account are ready now; where it was taken away, those that
    lie in no draft wait for another."""
    now, then = (Payout.state == "failed") & (Payout.failure == NO_ACCOUNT), ("ready", None)
    if not change.new_account:
        drafts = sa.select(PayoutBatch.id).where(PayoutBatch.state == "draft")
        free = Payout.batch_id.is_(None) | Payout.batch_id.not_in(drafts)
        now, then = (Payout.state == "ready") & free, ("failed", NO_ACCOUNT)
    own = (
        Statement.elder_id == change.elder_id if change.elder_id is not None
        else sa.and_(Statement.operator_id == change.operator_id, Statement.payee == "canteen")
    )  # fmt: skip
    db.session.execute(
        sa.update(Payout)
        .where(now, Payout.statement_id.in_(sa.select(Statement.id).where(own)))
        .values(state=then[0], account=change.new_account, failure=then[1])
        .execution_options(synchronize_session=False)
    )


def traced(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the trail keeps of a change: whose it is, and the ends of both accounts."""
    return {
        "operator_id": row["operator_id"], "elder_id": row["elder_id"],
        "from": row["old_account"][-4:], "to": row["new_account"][-4:],
    }


def _plain(change: BankChange) -> dict[str, Any]:
    return {name: getattr(change, name) for name in (
        "operator_id", "elder_id", "old_account", "new_account"
    )}  # fmt: skip
