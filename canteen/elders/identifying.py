"""Finding the person at the till by whatever they have with them: one field for all of it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen import clock
from canteen.db import db, is_postgresql
from canteen.elders import cards, ric
from canteen.elders.models import STATUSES, Card, Elder, ElderInitials
from canteen.elders.seeing import get_for, masked_name, visible
from canteen.errors import NotFound
from canteen.territory.actors import COUNTER, Actor
from canteen.territory.models import Territory
from canteen.words import Text

__all__ = ["Found", "find", "get_for", "to_serve", "visible"]

LONGEST_INITIALS = 12


@dataclass(frozen=True)
class Found:
    """What a till may show of a person: enough to tell two apart, and no ID number."""

    id: int
    name: str
    birth_year: int
    age: int
    last4: str
    street: Text
    near: bool
    card: str
    status: str

    @property
    def masked_name(self) -> str:
        """The name for a screen others can see: 王*英."""
        return masked_name(self.name)

    @property
    def status_text(self) -> Text:
        """The status in both languages."""
        return STATUSES[self.status]


def find(text: str, by: Actor, near: str | None = None, limit: int = 8) -> list[Found]:
    """The people a text may mean, the likeliest first; at most `limit`, in at most two queries.

    A card's number, a whole ID number, its last 4 to 6 characters, a phone number or its last
    four digits, the beginning of a name or of its pinyin initials. `near` is the street of the
    till: its own people come first. Tills and operators find anybody in the city, staff those of
    their ground, elders and family their own. Refuses CardLost, BadCardNumber, WrongChecksum;
    too little to go by finds nobody.
    """
    given = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text)).upper()
    wanted, first = _condition(given, " ".join(unicodedata.normalize("NFKC", text).split()))
    if wanted is None:
        return []
    is_near = sa.literal(False) if near is None else Elder.street_code == near
    rows = db.session.execute(
        _found(is_near)
        .where(wanted, _may_find(by))
        .order_by(
            sa.case((first, 0), else_=1), sa.case((is_near, 0), else_=1),
            sa.case((Elder.status == "deceased", 1), else_=0), Elder.name, Elder.id,
        )
        .limit(limit)
    )  # fmt: skip
    today = clock.business_date()
    return [_shown(row, today) for row in rows]


def to_serve(by: Actor, elder_id: int) -> Found:
    """One person by id, for the till that just found them. Refuses NotFound."""
    row = db.session.execute(
        _found(sa.literal(True)).where(Elder.id == elder_id, _may_find(by))
    ).first()
    if row is None:
        raise NotFound()
    return _shown(row, clock.business_date())


def _condition(
    given: str, spoken: str
) -> tuple[sa.ColumnElement[bool] | None, sa.ColumnElement[bool]]:
    """What a text asks for, and which of the answers fit it exactly."""
    exact = sa.literal(True)
    if re.fullmatch(r"\d{17}[\dX]", given, re.ASCII):
        return Elder.ric_hash == ric.hash_of(ric.checked(given)), exact
    if re.fullmatch(r"\d{7,20}", given, re.ASCII):
        holder = cards.holder(given)
        return (Elder.phone == given if holder is None else Elder.id == holder), exact
    if re.fullmatch(r"\d{3,5}[\dX]", given, re.ASCII):
        return _tail(given), exact
    if len(given) < 2:
        return None, exact
    if re.fullmatch(rf"[A-Z]{{2,{LONGEST_INITIALS}}}", given):
        low = given.lower()
        # Letters after letters sort alike in every collation, so this range may use the index.
        spelled = sa.select(ElderInitials.elder_id).where(
            ElderInitials.initials.between(low, low.ljust(LONGEST_INITIALS, "z"))
        )
        whole = sa.select(ElderInitials.elder_id).where(ElderInitials.initials == low)
        # One list of ids, for an OR over two tables would read the whole register.
        also = aliased(Elder)
        named = sa.select(also.id).where(_begins(also.name, spoken))
        return Elder.id.in_(sa.union(spelled, named)), Elder.id.in_(whole)
    return _begins(Elder.name, spoken), Elder.name == spoken


def _tail(given: str) -> sa.ColumnElement[bool]:
    """The last 4 to 6 characters of an ID number, or the last 4 digits of a phone.

    Before the last four stand the two digits of the day of birth, which the register knows.
    """
    number = Elder.ric_last4 == given[-4:]
    if len(given) == 4:
        return sa.or_(number, Elder.phone_last4 == given)
    on = int(given[:-4])
    born = sa.cast(sa.extract("day", Elder.birth_date), sa.Integer)
    return sa.and_(number, born == on if len(given) == 6 else born % 10 == on)


def _begins(name: Any, spoken: str) -> sa.ColumnElement[bool]:
    """A name's beginning, in the way in which each database can use its index."""
    if is_postgresql():
        return name.startswith(spoken, autoescape=True)
    return sa.and_(name >= spoken, name < spoken + "\U0010ffff")


def _may_find(by: Actor) -> sa.ColumnElement[bool]:
    return sa.true() if by.role in (*COUNTER, "operator") else visible(by)


def _found(near: sa.ColumnElement[bool]) -> sa.Select[tuple[object, ...]]:
    of_elder = Card.elder_id == Elder.id
    return sa.select(
        Elder.id, Elder.name, Elder.birth_date, Elder.ric_last4, Elder.status,
        Territory.name_zh, Territory.name_en, near.label("near"),
        sa.case(
            (sa.exists().where(of_elder, Card.lost_at.is_(None)), "ok"),
            (sa.exists().where(of_elder), "lost"),
            else_="none",
        ).label("card"),
    ).join(Territory, Territory.code == Elder.street_code)  # fmt: skip


def _shown(row: sa.Row[tuple[object, ...]], today: date) -> Found:
    born = row.birth_date
    return Found(
        id=row.id, name=row.name, birth_year=born.year,
        age=today.year - born.year - ((today.month, today.day) < (born.month, born.day)),
        last4=row.ric_last4, street=Text(row.name_zh, row.name_en), near=bool(row.near),
        card=row.card, status=row.status,
    )  # fmt: skip
