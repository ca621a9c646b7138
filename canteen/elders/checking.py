"""What may be written into the register: each refusal names its field."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.db import db
from canteen.elders import accounts, ric
from canteen.elders.models import CARE_LEVELS, CATEGORIES, STATUSES
from canteen.errors import Refused
from canteen.territory.models import Territory, level_of, within
from canteen.words import Text

OLDEST_YEARS = 130
GRADES = ("1", "2", "3", "4")
VALUES: dict[str, tuple[str, ...]] = {
    "category": tuple(CATEGORIES),
    "care_level": tuple(CARE_LEVELS),
    "disability_grade": GRADES,
    "status": tuple(status for status in STATUSES if status != "alive"),
    "long_term_care": ("covered",),
}


class Missing(Refused):
    """A field that must be filled in is empty."""

    code = "missing"
    text = Text("这一项必须填写", "This must be filled in")


class BadText(Refused):
    """A text is too long or holds characters that cannot be printed."""

    code = "bad_text"
    text = Text("最多 {most} 个字，且不能有换行等符号", "At most {most} plain characters")


class BadPhone(Refused):
    """The phone number is not one."""

    code = "bad_phone"
    text = Text("电话号码应为 5 至 15 位数字", "A phone number has 5 to 15 digits")


class BadBirthDate(Refused):
    """The birth date lies in the future or is more than 130 years back."""

    code = "bad_birth_date"
    text = Text(
        "出生日期晚于今天或早于 130 年前", "The birth date is in the future or over 130 years ago"
    )


class BirthDateDiffers(Refused):
    """The birth date is not the one inside the ID number."""

    code = "birth_date_differs"
    text = Text(
        "出生日期与身份证号里的不一致", "The birth date is not the one inside the ID number"
    )


class UnknownStreet(Refused):
    """No such street, or not on the ground of who asks."""

    code = "unknown_street"
    text = Text(
        "没有这个街道，或不在您的辖区", "There is no such street, or it is not on your ground"
    )


class UnknownHousehold(Refused):
    """The household registration (户籍) names no district, or one this city does not have."""

    code = "unknown_household"
    text = Text(
        "户籍应为 6 位区县或 9 位街道代码，本市的代码须存在",
        "The household is a 6-digit district or 9-digit street code; one of this city must exist",
    )


class UnknownValue(Refused):
    """A category, level, grade or status that does not exist."""

    code = "unknown_value"
    text = Text("没有“{given}”这一种，可以是：{known}", "There is no “{given}”; it may be: {known}")


class BadDates(Refused):
    """A fact ends before it begins, begins before birth, or says a future event has happened."""

    code = "bad_dates"
    text = Text("结束日期早于开始日期", "The last day is before the first")


@dataclass(frozen=True)
class FactWish:
    """Something to be recorded of an elder, true from its first to its last day, both included.

    For a status, `valid_from` is the day it happened (see `facts`).
    """

    kind: str
    value: str
    valid_from: date
    valid_to: date | None = None
    evidence: str = ""


@dataclass(frozen=True)
class Enrolment:
    """A person to be put on the register, as somebody wrote it down."""

    id_number: str = field(repr=False)
    name: str = ""
    street_code: str = ""
    household: str = ""
    birth_date: date | None = None
    phone: str | None = None
    payout_account: str | None = field(default=None, repr=False)
    diet_notes: str = ""
    facts: tuple[FactWish, ...] = ()


@dataclass(frozen=True)
class Grounds:
    """The territories of this city, read once for any number of checks."""

    codes: frozenset[str]

    @property
    def city(self) -> str:
        """The city's own code, "" before there is one."""
        return next((code for code in self.codes if level_of(code) == "city"), "")


def grounds() -> Grounds:
    """The territories as they are now."""
    return Grounds(frozenset(db.session.scalars(sa.select(Territory.code))))


def name(given: str) -> str:
    """A person's name. Refuses an empty one, one of over 40 characters, control characters."""
    plain = " ".join(str(given or "").split())
    if not plain:
        raise Missing(field="name")
    return text("name", 40)(plain)


def text(field_name: str, most: int) -> Callable[[str | None], str]:
    """A check for a free text of at most `most` characters."""

    def check(given: str | None) -> str:
        plain = (given or "").strip()
        if len(plain) > most or not plain.isprintable():
            raise BadText(field=field_name, most=most)
        return plain

    return check


def phone(given: str | None) -> str | None:
    """A phone number as bare digits, or None. Spaces, hyphens, brackets and +86 are dropped."""
    plain = re.sub(r"[\s\-()()]", "", given or "").removeprefix("+86")
    if not plain:
        return None
    if not re.fullmatch(r"\d{5,15}", plain, re.ASCII):
        raise BadPhone(field="phone")
    return plain


def street(given: str, known: Grounds) -> str:
    """The code of a street of this city. Refuses with Missing or UnknownStreet."""
    code = (given or "").strip()
    if not code:
        raise Missing(field="street_code")
    if len(code) != 9 or code not in known.codes:
        raise UnknownStreet(field="street_code")
    return code


def household(given: str, known: Grounds) -> str:
    """The code of a 户籍: of this city one that exists, of another place any of right form."""
    code = (given or "").strip()
    if not code:
        raise Missing(field="household")
    well_formed = re.fullmatch(r"\d{6}(\d{3})?", code, re.ASCII) and code[:2] in ric.PROVINCES
    own = bool(known.city) and within(code, known.city)
    if not well_formed or (own and code not in known.codes):
        raise UnknownHousehold(field="household")
    return code


def birth(number: str, given: date | None, today: date) -> date:
    """The birth date inside the number, which a given one must equal."""
    if given is not None and given > today:
        raise BadBirthDate(field="birth_date")
    inside = ric.birth_date(number)
    if inside > today or inside.year < today.year - OLDEST_YEARS:
        raise BadBirthDate(field=ric.FIELD)
    if given is not None and given != inside:
        raise BirthDateDiffers(field="birth_date")
    return inside


def fact(wish: FactWish, born: date, today: date) -> FactWish:
    """A fact in order. Refuses unknown kinds and values and dates that cannot be.

    Nobody has died or moved in the future; what was granted may begin up to a year ahead.
    """
    known = VALUES.get(wish.kind)
    if known is None:
        raise UnknownValue(field="kind", given=ric.scrub(wish.kind)[:40], known=" · ".join(VALUES))
    if wish.value not in known:
        given = ric.scrub(wish.value)[:40]
        raise UnknownValue(field=wish.kind, given=given, known=" · ".join(known))
    if wish.valid_to is not None and wish.valid_to < wish.valid_from:
        raise BadDates(field="valid_to")
    if wish.valid_from < born:
        raise BadDates(
            Text("开始日期早于出生日期", "It begins before the birth date"), field="valid_from"
        )
    ahead = (wish.valid_from - today).days
    if ahead > (0 if wish.value in ("deceased", "moved") else 366):
        raise BadDates(Text("日期在未来", "The date lies in the future"), field="valid_from")
    text("evidence", 120)(wish.evidence)
    return wish


@dataclass(frozen=True)
class Person:
    """An enrolment that passed every check; `columns` are those of the elders table it fills."""

    number: str = field(repr=False)
    ric_hash: str = field(repr=False)
    columns: dict[str, Any] = field(repr=False)
    facts: tuple[FactWish, ...]


def phone_columns(plain: str | None) -> dict[str, str | None]:
    """A phone number and its last four digits, by which the till finds it."""
    return {"phone": plain, "phone_last4": plain[-4:] if plain else None}


def examine(wish: Enrolment, known: Grounds, today: date) -> tuple[Person | None, list[Refused]]:
    """Check every field; gives the person, or everything that is wrong, field by field."""
    wrong: list[Refused] = []

    def tried(check: Callable[..., Any], *given: Any) -> Any:
        try:
            return check(*given)
        except Refused as refusal:
            wrong.append(refusal)
            return None

    number = tried(ric.checked, wish.id_number) if wish.id_number else None
    if not wish.id_number:
        wrong.append(Missing(field=ric.FIELD))
    born = tried(birth, number, wish.birth_date, today) if number else None
    columns = {
        "name": tried(name, wish.name),
        "birth_date": born,
        "household": tried(household, wish.household, known),
        "street_code": tried(street, wish.street_code, known),
        "payout_account": tried(accounts.checked, wish.payout_account),
        "diet_notes": tried(text("diet_notes", 120), wish.diet_notes) or "",
        **phone_columns(tried(phone, wish.phone)),
    }
    facts = tuple(tried(fact, each, born or date.min, today) for each in wish.facts)
    if wrong or number is None:
        return None, wrong
    columns["ric_last4"] = number[-4:]
    return Person(number, ric.hash_of(number), columns, facts), []


def checked(wish: Enrolment, known: Grounds, today: date) -> Person:
    """The person. Refuses with the first thing that is wrong."""
    person, wrong = examine(wish, known, today)
    if person is None:
        raise wrong[0]
    return person
