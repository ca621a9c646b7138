"""Tablets become tills by a manager's one-time code, and can be shut out and let in again."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from canteen import clock, config
from canteen.access import throttling
from canteen.audit.recording import record
from canteen.canteens import finding
from canteen.canteens.models import Canteen
from canteen.db import changed, db, insert
from canteen.errors import CanteenError, Conflict, NotFound, Refused
from canteen.territory.actors import COUNTER, Actor
from canteen.tills.journal import TillWithdrawn
from canteen.tills.keys import key_of, short
from canteen.tills.models import EnrolmentCode, Till
from canteen.words import Text

CODE_LENGTH = 8
CODE_LIVES = timedelta(minutes=15)
LONGEST_NAME = 20
MARK_BITS = 128
ALARMS = {
    "altered": Text(
        "同一个流水号收到了两份不同的记录。先收到的一份算数，后来的没有入账。请核对这台机器当天的现金，"
        "并问清是谁用过它。",
        "Two different records came under one number. The first counts, the later was not booked. "
        "Count this till's cash and find out who used it.",
    ),
    "unsigned": Text(
        "收到一条签名不对的记录，没有入账。可能有人改动了平板上的数据，或有人冒充这台机器。",
        "A record with a wrong signature came in and was not booked. Somebody may have changed the "
        "tablet's data, or pretended to be this till.",
    ),
}
OTHER_ALARM = Text(
    "这台机器的流水对不上，请核对现金并联系经理。",
    "This till's journal does not add up. Count its cash and tell your office.",
)


class WrongCode(Refused):
    """The code was never made, was used, or is too old: which of them is not told."""

    code = "wrong_code"
    text = Text(
        "一次性代码不对或已过期，请经理在“收银机”页重新生成",
        "The one-time code is wrong or too old; ask the manager for a new one on the Tills page",
    )


class BadTillName(Refused):
    """A till's name has 1 to 20 printable characters."""

    code = "bad_till_name"
    text = Text("收银机名称为 1 至 20 个字", "A till's name has 1 to 20 characters")


class TillNameTaken(Conflict):
    """Another till of the canteen has this name; `free` in its detail is one nobody has."""

    code = "till_name_taken"
    text = Text(
        "本食堂已有一台叫“{name}”的收银机，请换个名字，比如“{free}”",
        "This canteen has a till called “{name}” already; choose another name, such as “{free}”",
    )


@dataclass(frozen=True)
class EnrolOutcome:
    """The till a tablet became, or why it did not. A refusal is handed back, not raised: raising
    it inside the door's transaction would undo the record of the failure."""

    till: Till | None
    refusal: CanteenError | None = None


def make_code(canteen_id: int, by: Actor, at: datetime, lives: timedelta = CODE_LIVES) -> str:
    """A one-time code of eight digits for a canteen's next tablet, shown this once.

    By the canteen's manager. Only a keyed hash is kept. Refuses NotFound off the actor's ground.
    """
    by.must_be("manager")
    finding.get_for(by, canteen_id)
    forget_codes(at - timedelta(days=30))
    while True:
        code = "".join(secrets.choice("0123456789") for _ in range(CODE_LENGTH))
        row = {
            "digest": _digest(code), "canteen_id": canteen_id, "made_by": by.label,
            "made_at": at, "expires_at": at + lives,
        }
        made = insert(EnrolmentCode.__table__).values(row).on_conflict_do_nothing()
        if changed(db.session.execute(made)):
            record(by.label, "make_till_code", "canteen", canteen_id)
            return code


def enrol(code: str, name: str, remote: str, at: datetime | None = None) -> EnrolOutcome:
    """Turn a tablet into a till of the canteen the code was made for; the code is used up.

    Thirty failures of one address within 15 minutes close it, sign-ins included. The outcome's
    refusal: WrongCode, TooManyAttempts. Raises BadTillName and TillNameTaken, which leave the code
    as it is.
    """
    at = at or clock.now()
    name = checked_name(name)
    limits = {throttling.who("remote", remote): throttling.PER_REMOTE}
    refusal = throttling.must_wait(limits, at)
    if refusal is not None:
        return EnrolOutcome(None, refusal)
    digest = _digest("".join(sign for sign in code if not sign.isspace()))
    used = db.session.execute(
        sa.update(EnrolmentCode)
        .where(
            EnrolmentCode.digest == digest, EnrolmentCode.used_at.is_(None),
            EnrolmentCode.expires_at > at,
        )
        .values(used_at=at)
        .returning(EnrolmentCode.canteen_id, EnrolmentCode.made_by)
    ).first()
    if used is None:
        throttling.failed(limits, at)
        return EnrolOutcome(None, WrongCode(field="code"))
    row = {
        "canteen_id": used.canteen_id, "name": name, "salt": secrets.token_hex(16),
        "enrolled_at": at, "enrolled_by": used.made_by, "seen_at": at,
        "head": 0, "head_mac": "", "claimed": 0, "drift_ms": 0,
    }
    made = db.session.scalar(
        insert(Till.__table__).values(row).on_conflict_do_nothing().returning(Till.__table__.c.id)
    )
    if made is None:
        free = free_name(name, {till.name for till in tills_of(used.canteen_id)})
        raise TillNameTaken(field="name", name=name, free=free)
    db.session.execute(
        sa.update(EnrolmentCode).where(EnrolmentCode.digest == digest).values(till_id=made)
    )
    record(used.made_by, "enrol_till", "till", made, {"name": name})
    return EnrolOutcome(db.session.get_one(Till, made))


def free_name(name: str, taken: set[str]) -> str:
    """The next name like this one that nobody has: counted up from the number it bears, or from 2.

    Where a further figure has no room the name loses its end.
    """
    found = re.search(r"[0-9]{1,4}", name)
    before, after = (name[: found.start()], name[found.end() :]) if found else (f"{name} ", "")
    number = int(found[0]) if found else 1
    while True:
        number += 1
        free = f"{before}{number}{after}"
        if len(free) > LONGEST_NAME:
            free = f"{name[:14]} {number}"
        if free not in taken:
            return free


def withdraw(till_id: int, by: Actor, at: datetime) -> None:
    """Shut a till out at once: nothing it sends is taken. Nothing happens to one that is out."""
    till = _managed(till_id, by)
    if till.withdrawn_at is None:
        till.withdrawn_at = at
        db.session.flush()
        record(by.label, "withdraw_till", "till", till_id, {"name": till.name})


def reinstate(till_id: int, by: Actor) -> None:
    """Let a till in again: what it kept while it was out arrives when it next sends."""
    till = _managed(till_id, by)
    if till.withdrawn_at is not None:
        till.withdrawn_at = None
        db.session.flush()
        record(by.label, "reinstate_till", "till", till_id, {"name": till.name})


def quiet_alarm(till_id: int, by: Actor) -> None:
    """The manager has looked into a till's alarm; the audit record keeps what it was."""
    till = _managed(till_id, by)
    if till.alarm is not None:
        told = {"alarm": till.alarm, "at": till.alarm_at.isoformat() if till.alarm_at else None}
        till.alarm, till.alarm_at = None, None
        db.session.flush()
        record(by.label, "quiet_till_alarm", "till", till_id, told)


def tills_of(canteen_id: int) -> list[Till]:
    """A canteen's tills, the working ones first, by name."""
    query = sa.select(Till).where(Till.canteen_id == canteen_id)
    return list(db.session.scalars(query.order_by(Till.withdrawn_at.is_not(None), Till.name)))


def visible(by: Actor) -> sa.ColumnElement[bool]:
    """The tills an actor may name: counter staff those of their canteen, offices of their ground's
    canteens, an operator its own."""
    if by.role == "job":
        return sa.true()
    if by.role in (*COUNTER, "operator", "street", "district", "city"):
        return Till.canteen_id.in_(sa.select(Canteen.id).where(finding.visible(by)))
    return sa.false()


def working(till_id: int, by: Actor) -> Till:
    """A till of the actor's canteen that is not shut out. Refuses NotFound and TillWithdrawn."""
    till = db.session.scalar(sa.select(Till).where(Till.id == till_id, visible(by)))
    if till is None:
        raise NotFound()
    if till.withdrawn_at is not None:
        raise TillWithdrawn()
    return till


def mark_of(till: Till) -> str:
    """What a tablet shows to be taken for this till before anybody has signed in on it."""
    return f"{till.id}.{short(key_of(till), 'tablet', MARK_BITS)}"


def is_marked(till: Till, mark: str) -> bool:
    """Whether a mark is this till's."""
    return hmac.compare_digest(mark_of(till).encode(), mark.encode())


def alarm_text(alarm: str) -> Text:
    """What an alarm means, and what to do about it."""
    return ALARMS.get(alarm, OTHER_ALARM)


def checked_name(name: str) -> str:
    """A till's name, trimmed. Refuses with BadTillName."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadTillName(field="name")
    return name


def forget_codes(before: datetime) -> int:
    """Drop codes that nobody used before an instant; gives how many."""
    old = sa.delete(EnrolmentCode).where(
        EnrolmentCode.used_at.is_(None), EnrolmentCode.expires_at < before
    )
    return changed(db.session.execute(old))


def _managed(till_id: int, by: Actor) -> Till:
    by.must_be("manager")
    till = db.session.scalar(
        sa.select(Till)
        .where(Till.id == till_id, visible(by))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if till is None:
        raise NotFound()
    return till


def _digest(code: str) -> str:
    """Keyed, for eight digits are soon tried through."""
    key = bytes.fromhex(config.current().hash_key)
    return hmac.new(key, f"till-code:{code}".encode(), hashlib.sha256).hexdigest()
