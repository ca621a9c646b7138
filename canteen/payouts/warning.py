"""The warning before money goes elsewhere: to the contact on record, and to whom it was before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen import clock, config
from canteen.audit.models import AuditRecord
from canteen.db import db, insert
from canteen.elders import phones
from canteen.notices.models import Notice
from canteen.payments.models import OutboxMessage
from canteen.payouts.models import BankChange
from canteen.settlements.booking import numbered
from canteen.territory.actors import Actor
from canteen.words import Text, day

KIND = "bank_change"
ASKED = Text(
    "有人申请把{who}的助餐款收款账户由{old}改为{new}，最早{when}经第二人核实后生效。"
    "如果不是您要求的，请马上联系街道或区民政局。",
    "Somebody asks to pay {who} to an account {new} instead of {old}. It takes effect on {when} at"
    " the earliest, once a second person has confirmed it. If you did not ask for this, tell your"
    " street office or district bureau at once.",
)
# How far back a former phone is warned as well: well beyond the wait, or who changes a phone need
# only be as patient as that. [D] Our own number; at least the wait where that is longer.
FORMER_FOR = timedelta(days=30)
# The contact on record, and the first phones of those it replaced within `FORMER_FOR`.
TIMES = (":asked", ":asked:1", ":asked:2", ":asked:3")


def warn(wishes: Iterable[tuple[int, Mapping[str, Any], Any]], at: datetime) -> None:
    """Tell of wishes (the change's id, the wish, its payee): the contact on record, and every
    phone an elder had within `FORMER_FOR`, for whoever means harm changes the phone first.

    A payee without a phone gets a letter (see `letters`).
    """
    wishes = list(wishes)
    back = max(timedelta(days=config.current().account_wait_days), FORMER_FOR)
    elders = [row["elder_id"] for _, row, _ in wishes if row["elder_id"] is not None]
    former = phones.former_of(elders, at - back) if elders else {}
    rows = []
    for change_id, row, payee in wishes:
        said = ASKED.format(
            who=payee.name, old=tail(row["old_account"]),
            new=tail(row["new_account"], row["old_account"]),
            when=day_of(row["not_before"]),
        )
        now = (payee.phone or "")[:20]
        others = [phone for phone in former.get(row["elder_id"], []) if phone != now]
        for suffix, phone in zip(TIMES, [now, *others], strict=False):
            rows.append({
                "key": f"bank_change:{change_id}{suffix}", "kind": KIND, "to_phone": phone,
                "operator_id": row["operator_id"], "elder_id": row["elder_id"],
                "zh": said.zh[:400], "en": said.en[:600], "made_at": at,
                "path": "" if row["operator_id"] is None else "/operator/account",
            })  # fmt: skip
    db.session.execute(insert(Notice.__table__), rows)


def untold() -> Any:
    """Whether a change of an account still has a warning that reached nobody: neither carried to
    the phone, nor told by hand. A very first account has nobody to be warned."""
    keys = _keys()
    done = sa.exists().where(
        OutboxMessage.key == numbered("notice:", Notice.id), OutboxMessage.state == "done"
    ).correlate(Notice)  # fmt: skip
    waits = sa.exists().where(Notice.key.in_(keys), sa.not_(done)).correlate(BankChange)
    none = sa.not_(sa.exists().where(Notice.key == keys[0]).correlate(BankChange))
    return sa.and_(_had_account(), sa.or_(waits, none))


def told_by(by: Actor) -> Any:
    """Whether this person noted that a change's old contact was told, by call or letter."""
    trail = AuditRecord
    return sa.and_(
        _had_account(),
        sa.exists().where(
            Notice.key.in_(_keys()), trail.subject == "notice", trail.act == "told_by_hand",
            trail.subject_id == sa.cast(Notice.id, sa.String(40)), trail.actor == by.label,
        ).correlate(BankChange),
    )  # fmt: skip


def paid_before(ids: Collection[int], *, operators: bool = False) -> set[int]:
    """Who of these elders (or operators) ever had an account, as changes of it tell: one that was
    taken away and comes back as another is changed all the same."""
    payee = BankChange.operator_id if operators else BankChange.elder_id
    found = db.session.scalars(sa.select(payee).where(payee.in_(ids), _tells(BankChange)))
    return {id_ for id_ in found if id_ is not None}


def _had_account() -> Any:
    """Whether a change is not of a payee's very first account."""
    before = aliased(BankChange)
    payee = sa.or_(
        before.elder_id == BankChange.elder_id, before.operator_id == BankChange.operator_id
    )
    earlier = sa.exists().where(before.id < BankChange.id, payee, _tells(before))
    return sa.or_(BankChange.old_account != "", earlier.correlate(BankChange))


def _tells(change: Any) -> Any:
    """Whether a change tells that its payee had an account, before it or by it."""
    given = sa.and_(change.state == "confirmed", change.new_account != "")
    return sa.or_(change.old_account != "", given)


def _keys() -> list[Any]:
    return [numbered("bank_change:", BankChange.id) + sa.literal(each) for each in TIMES]


def tail(account: str | None, beside: str | None = None) -> Text:
    """An account as people may be told of it: by its last four digits; named as another one where
    that `beside` it ends alike."""
    if not account:
        return Text("（无）", "none")
    if beside and beside != account and beside[-4:] == account[-4:]:
        return Text(f"尾号{account[-4:]}（另一账户）", f"ending {account[-4:]} (another one)")
    return Text(f"尾号{account[-4:]}", f"ending {account[-4:]}")


def day_of(at: datetime) -> Text:
    """The day of an instant, as people say it."""
    return day(clock.business_date(at), year=True)
