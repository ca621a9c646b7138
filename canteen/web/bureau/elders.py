"""Elders at the bureau: found by what one has at hand, their facts, cards, family and meals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask import request
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.access.models import User
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders import exporting, facts, family, identifying, seeing
from canteen.elders.models import CARE_LEVELS, CATEGORIES, STATUSES, Card, Elder, ElderFact
from canteen.errors import CanteenError
from canteen.money import yuan
from canteen.orders.models import STATES, Order
from canteen.orders.quoting import explain
from canteen.subsidies.eligibility import age_on
from canteen.subsidies.explaining import why
from canteen.subsidies.models import Grant, QuotaUse
from canteen.subsidies.policies import NoPolicyInForce
from canteen.subsidies.publishing import in_force
from canteen.territory.actors import Actor
from canteen.web import looks
from canteen.web.bureau import exports, trail
from canteen.web.bureau.door import blueprint, grounds, place
from canteen.web.errors import rendered
from canteen.web.guards import actor
from canteen.words import Text

WEEKS = 4
MOST_FOUND = 30
CLAIMED = Text(
    "事后补领 {sum} 元，打到老人账户", "{sum} yuan were claimed afterwards, to the elder's account"
)
FACT_KINDS = {
    "category": Text("困难类别", "Category"),
    "care_level": Text("失能等级", "Care level"),
    "disability_grade": Text("残疾等级", "Disability grade"),
    "status": Text("状态", "Status"),
    "long_term_care": Text("长期护理保险", "Long-term-care insurance"),
}
FACT_VALUES: dict[str, dict[str, Text]] = {
    "category": CATEGORIES,
    "care_level": CARE_LEVELS,
    "disability_grade": {n: Text(f"{n} 级", f"Grade {n}") for n in "1234"},
    "status": {code: words for code, words in STATUSES.items() if code != "alive"},
    "long_term_care": {"covered": Text("享受中", "Covered")},
}


@dataclass(frozen=True)
class Week:
    """One week of an elder's meals: how many were subsidised, and each with its reason."""

    starts: date
    used: int
    meals: list[dict[str, Any]]

    @property
    def ends(self) -> date:
        """Its Sunday."""
        return self.starts + timedelta(days=6)


@blueprint.get("/elders")
@blueprint.get("/elders/searches", endpoint="searched_before")  # reloaded, or read on in English
def list_elders() -> ResponseReturnValue:
    """The register: how many are on it, and the field to find one; never a list of everybody."""
    return _found_page("")


@blueprint.post("/elders/searches")
def find_elders() -> ResponseReturnValue:
    """The people of this ground whom a text may mean. Sent as a form: it may be an ID number,
    and an address stays in histories and logs."""
    return _found_page(request.form.get("text", "").strip()[:40])


def _found_page(text: str) -> ResponseReturnValue:
    by = actor()
    found: Sequence[identifying.Found] = []
    refusal: CanteenError | None = None
    if text:
        try:
            found = identifying.find(text, by, limit=MOST_FOUND)
            looks.note_search(len(found))
        except CanteenError as refused:
            refusal = refused
    return rendered(
        "bureau/elders.html", text=text, found=found, refusal=refusal,
        registered=exporting.count(by), most=MOST_FOUND,
    )


def elder_page(
    by: Actor, elder_id: int, refusal: CanteenError | None = None, **given: Any
) -> ResponseReturnValue:
    """One person; after a refusal with what was typed and what is wrong."""
    found = seeing.get_for(by, elder_id)
    today = clock.business_date()
    held = db.session.scalars(
        sa.select(ElderFact).where(ElderFact.elder_id == elder_id)
        .order_by(ElderFact.kind, ElderFact.valid_from.desc())
    ).all()  # fmt: skip
    cards = db.session.scalars(
        sa.select(Card).where(Card.elder_id == elder_id)
        .order_by(Card.lost_at.is_not(None), Card.issued_on.desc())
    ).all()  # fmt: skip
    return rendered(
        "bureau/elder.html", elder=found, number=seeing.masked_number(found), refusal=refusal,
        given=given, today=today, age=age_on(found.birth_date, today), facts=held,
        kinds=FACT_KINDS, values=FACT_VALUES, statuses=STATUSES, cards=cards,
        standing=facts.facts_on(elder_id, today), family=_family(elder_id, by),
        weeks=weeks(elder_id, today), cap=_cap(found, today), states=STATES,
        next_monday=clock.week_start(today) + timedelta(days=7),
        trail=trail.of("elder", elder_id),
    )


@blueprint.get("/elders/<int:elder_id>")
def elder(elder_id: int) -> ResponseReturnValue:
    """One person with dated facts, cards, family and the meals of the last weeks."""
    looks.note("elder", elder_id)
    return elder_page(actor(), elder_id)


def weeks(elder_id: int, today: date) -> list[Week]:
    """The last weeks of somebody's meals, this one first, each with the reason of its price; also
    meals sold to nobody whose subsidy was claimed afterwards. What is used of a week is what the
    tills count."""
    first = clock.week_start(today) - timedelta(weeks=WEEKS - 1)
    claimed = {row.order_id: row.account_fen for row in db.session.execute(
        sa.select(Grant.order_id, Grant.account_fen)
        .where(Grant.elder_id == elder_id, Grant.cause == "claim", Grant.on >= first)
    )}  # fmt: skip
    used = {row.starts_on: row.used for row in db.session.execute(
        sa.select(QuotaUse.starts_on, QuotaUse.used).where(
            QuotaUse.elder_id == elder_id, QuotaUse.period_code == "week",
            QuotaUse.starts_on >= first,
        )
    )}  # fmt: skip
    rows = db.session.execute(
        sa.select(Order, Canteen.name, Canteen.name_en)
        .join(Canteen, Canteen.id == Order.canteen_id)
        .where((Order.elder_id == elder_id) | Order.id.in_(claimed), Order.on >= first)
        .order_by(Order.on.desc(), Order.id.desc())
    ).all()  # fmt: skip
    found = []
    for back in range(WEEKS):
        starts = clock.week_start(today) - timedelta(weeks=back)
        meals = []
        for order, name, name_en in rows:
            if starts <= order.on <= starts + timedelta(days=6):
                quote = explain(order)
                late = order.id in claimed
                meals.append({
                    "order": order, "canteen": Text(name, name_en or name),
                    "why": CLAIMED.format(sum=yuan(claimed[order.id])) if late else why(quote),
                    "counts": late or (quote.uses_quota and order.state != "cancelled"),
                })  # fmt: skip
        counted = sum(1 for meal in meals if meal["counts"])
        found.append(Week(starts, used.get(starts, counted), meals))
    return found


def _cap(found: Elder, today: date) -> int | None:
    try:
        return in_force(found.street_code[:6], today).policy.caps.per_week
    except NoPolicyInForce:
        return None


def _family(elder_id: int, by: Actor) -> list[dict[str, Any]]:
    relatives = family.relatives_of(elder_id, by)
    names = dict(db.session.execute(
        sa.select(User.id, User.name).where(User.id.in_([one.user_id for one in relatives]))
    ).all())  # fmt: skip
    return [
        {"name": names.get(one.user_id, ""), "relation": one.relation, "since": one.since}
        for one in relatives
    ]


@blueprint.post("/elders/exports")
def export_elders() -> ResponseReturnValue:
    """The register of one's own ground as CSV or XLSX, masked; who took it is recorded."""
    by, today = actor(), clock.business_date()
    kind = "csv" if request.form.get("kind") == "csv" else "xlsx"
    territory = request.form.get("territory") or None
    if territory not in dict(grounds(by)):
        territory = None
    name = Text("老人_{where}_{on}", "elders_{where}_{on}").format(
        where=place(territory or by.territory), on=today
    )
    return exports.taken_out(
        by, kind, name, ("register", today),
        exports.tables(kind, lambda: [exporting.table(by, today, territory)]),
        act="export_elders", territory=territory or by.territory,
    )  # fmt: skip
