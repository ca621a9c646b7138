"""Cards: issued, reported lost, replaced; the number is printed and shown as a QR code."""

from __future__ import annotations

import io
import secrets

import segno
import sqlalchemy as sa
from stdnum import damm

from canteen import clock
from canteen.audit.recording import record
from canteen.db import changed, db, insert
from canteen.elders.models import Card
from canteen.elders.seeing import get_for
from canteen.errors import Conflict, NotFound, Refused
from canteen.territory.actors import BUREAU, HOME, Actor
from canteen.words import Text, day

# Ten digits that say nothing of the elder and do not follow from another card's, then a Damm check
# digit, which finds every wrong digit and every swap of neighbours. Phones begin with 1, never 8.
FIRST_DIGIT = "8"
LENGTH = 11


class BadCardNumber(Refused):
    """The number was misread: its check digit does not fit."""

    code = "bad_card_number"
    text = Text(
        "卡号没有读对，请再扫一次或核对数字",
        "The card number was misread; scan it again or check the digits",
    )


class CardLost(Refused):
    """The card was reported lost and opens nothing any more."""

    code = "card_lost"
    text = Text("这张卡{since}已挂失，不能使用", "This card was reported lost on {since}")


class HasCard(Conflict):
    """The elder has a card in use, or had one and wants it replaced."""

    code = "has_card"
    text = Text(
        "这位老人已有一张在用的卡，请先挂失旧卡",
        "This elder has a card in use; report it lost first",
    )


class AlreadyLost(Conflict):
    """The card was reported lost before."""

    code = "already_lost"
    text = Text("这张卡此前已经挂失", "This card was reported lost before")


def issue(elder_id: int, by: Actor) -> str:
    """Give an elder a card; its number. Staff on their ground. Refuses HasCard and NotFound."""
    by.must_be(*BUREAU)
    get_for(by, elder_id, lock=True)
    number = _issued(elder_id)
    record(by.label, "issue_card", "elder", elder_id, {"card": tail(number)})
    return number


def report_lost(number: str, by: Actor) -> None:
    """Close a card at once. Staff, the elder and their family. Refuses AlreadyLost, NotFound."""
    by.must_be(*BUREAU, *HOME)
    card = db.session.get(Card, number, populate_existing=True)
    if card is None:
        raise NotFound()
    get_for(by, card.elder_id)
    _close(number)
    record(by.label, "report_card_lost", "elder", card.elder_id, {"card": tail(number)})


def replace(elder_id: int, by: Actor) -> str:
    """A new card in place of whatever the elder had; the old one closes in the same act."""
    by.must_be(*BUREAU)
    get_for(by, elder_id, lock=True)
    old = current_number(elder_id)
    if old is not None:
        _close(old)
    number = _issued(elder_id)
    detail = {"card": tail(number)} | ({"instead_of": tail(old)} if old else {})
    record(by.label, "replace_card", "elder", elder_id, detail)
    return number


def current_number(elder_id: int) -> str | None:
    """The number of the card in use, if there is one."""
    return db.session.scalar(
        sa.select(Card.number).where(Card.elder_id == elder_id, Card.lost_at.is_(None))
    )


def qr_svg(number: str) -> str:
    """The card's QR code as an inline SVG; it says the bare number, as a scanner types it."""
    out = io.BytesIO()
    segno.make(number, error="m", micro=False).save(
        out, kind="svg", border=2, xmldecl=False, svgns=True, svgclass="qr", lineclass=None,
        omitsize=True,  # as large as the page wants it
    )  # fmt: skip
    return out.getvalue().decode()


def tail(number: str) -> str:
    """The last four digits, by which people tell two cards apart."""
    return number[-4:]


def looks_like_card(text: str) -> bool:
    """Whether a text has the form of a number we give."""
    return len(text) == LENGTH and text.startswith(FIRST_DIGIT) and text.isdigit()


def holder(number: str) -> int | None:
    """Whose card it is, None for a number never issued. Refuses BadCardNumber and CardLost.

    Cards brought along from elsewhere keep their numbers; only ours have a check digit to fit.
    """
    if looks_like_card(number) and not damm.is_valid(number):
        raise BadCardNumber(field="card")
    card = db.session.get(Card, number, populate_existing=True)
    if card is None or card.lost_at is None:
        return card.elder_id if card else None
    since = day(clock.local(card.lost_at).date(), year=True)
    text = CardLost.text.format(since=since)
    instead = current_number(card.elder_id)
    if instead:
        hint = Text("，请用新卡（尾号 {tail}）", "; use the new one (ending {tail})")
        text = Text(*(a + b for a, b in zip(text, hint.format(tail=tail(instead)), strict=True)))
    raise CardLost(text, field="card", replaced_by=tail(instead) if instead else None)


def new_number() -> str:
    """A number nobody has been given, most likely; the table decides."""
    body = FIRST_DIGIT + "".join(secrets.choice("0123456789") for _ in range(LENGTH - 2))
    return body + damm.calc_check_digit(body)


def _issued(elder_id: int) -> str:
    today = clock.business_date()
    for _ in range(20):
        number = new_number()
        row = {"number": number, "elder_id": elder_id, "issued_on": today}
        if changed(db.session.execute(insert(Card.__table__).values(row).on_conflict_do_nothing())):
            return number
        if current_number(elder_id) is not None:
            raise HasCard()
    raise RuntimeError("twenty card numbers in a row were taken")


def _close(number: str) -> None:
    closed = db.session.execute(
        sa.update(Card)
        .where(Card.number == number, Card.lost_at.is_(None))
        .values(lost_at=clock.now())
    )
    if not changed(closed):
        raise AlreadyLost()
