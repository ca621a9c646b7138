"""Published policies: which, with their documents, in plain words, and a case tried on them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import MEALS
from canteen.canteens.pricing import standard_set_price
from canteen.db import db
from canteen.elders.models import CARE_LEVELS, CATEGORIES
from canteen.errors import CanteenError
from canteen.money import parse_yuan
from canteen.orders.models import SERVICES
from canteen.subsidies.cases import Case
from canteen.subsidies.describing import GRADES, describe
from canteen.subsidies.models import PolicyVersion
from canteen.subsidies.pricing import Quote, quote
from canteen.subsidies.publishing import by_id
from canteen.territory.models import level_of
from canteen.web import grounds
from canteen.web.bureau.door import READERS, blueprint, places
from canteen.web.cashier.showing import strip
from canteen.web.errors import rendered
from canteen.web.forms import Fields
from canteen.web.guards import actor, guard
from canteen.words import Text

SOURCE = {
    "V": Text("正式文件全文可查", "Read in the published text"),
    "M": Text("据转载文本", "Read in a re-posted copy"),
    "D": Text("按惯例补全", "Our own default where nothing is published"),
}


@blueprint.get("/policies")
@guard(*READERS)
def list_policies() -> ResponseReturnValue:
    """The policies that hold on this ground, those in force first, then the latest."""
    today = clock.business_date()
    rows = db.session.scalars(
        sa.select(PolicyVersion).where(grounds.policies(actor()))
        .order_by(PolicyVersion.territory_code, PolicyVersion.in_force_from.desc())
    ).all()  # fmt: skip
    return render_template(
        "bureau/policies.html", today=today,
        rows=[(row, by_id(row.id).policy, _holds(row, today), last_day(row)) for row in rows],
    )


def _holds(row: PolicyVersion, on: date) -> str:
    if row.in_force_from > on:
        return "later"
    last = last_day(row)
    return "over" if last and last < on else "now"


def last_day(row: PolicyVersion) -> date | None:
    """The last day of a policy: its own, or the one before the next begins in its territory."""
    following = db.session.scalar(
        sa.select(sa.func.min(PolicyVersion.in_force_from)).where(
            PolicyVersion.territory_code == row.territory_code,
            PolicyVersion.in_force_from > row.in_force_from,
        )
    )
    ends = [row.in_force_to, following - timedelta(days=1) if following else None]
    return min((end for end in ends if end), default=None)


@blueprint.get("/policies/<int:policy_id>")
@guard(*READERS)
def policy(policy_id: int) -> ResponseReturnValue:
    """One policy: who, how much, when, who pays; and the price of a case, if one is asked."""
    row = db.session.get_one(PolicyVersion, policy_id)
    found = by_id(policy_id).policy
    district = row.territory_code
    if level_of(district) == "city":
        district = next((code for code in places() if level_of(code) == "district"), "")
    last = last_day(row)
    on = min(max(clock.business_date(), row.in_force_from), last or date.max)
    answer: Quote | None = None
    refusal: CanteenError | None = None
    if "tried" in request.args:
        try:
            answer = quote(found, _case(Fields(request.args), district))
        except CanteenError as refused:
            refusal = refused
    standard = standard_set_price(district, on)
    return rendered(
        "bureau/policy.html", row=row, policy=found, said_of=describe(found, standard),
        holds=_holds(row, clock.business_date()), source=SOURCE, quote=answer and strip(answer),
        answer=answer, refusal=refusal, given=request.args, on=on, last=last,
        standard_fen=standard,
        categories=CATEGORIES | found.category_titles(), care_levels=CARE_LEVELS, meals=MEALS,
        services=SERVICES, grades=GRADES,
    )


def _case(fields: Fields, district: str) -> Case:
    """The case a reader typed. Refuses naming the field."""
    given = fields.given
    elder: dict[str, Any] | None = None
    born = fields.day("birth_date", required=False, since=1900)
    if born is not None:
        elder = {
            "birth_date": born.isoformat(), "household": given.get("household") or district,
            "categories": given.getlist("categories"),
            "care_level": given.get("care_level") or None,
            "disability_grade": int(given["disability_grade"])
            if given.get("disability_grade", "") in ("1", "2", "3", "4") else None,
            "in_institution": given.get("in_institution") == "1",
            "long_term_care": given.get("long_term_care") == "1",
        }  # fmt: skip
    on = fields.day("on")
    standard = given.get("standard_set", "").strip()
    return Case.from_dict({
        "district": district, "on": on and on.isoformat(),
        "meal": fields.choice("meal", MEALS), "service": fields.choice("service", SERVICES),
        "list_fen": fields.yuan("list"), "tier": fields.whole("tier", least=1, most=3),
        "grade": fields.choice("grade", GRADES, required=False),
        "standard_set_fen": parse_yuan(standard, field="standard_set") if standard else None,
        "discount_bp": fields.whole("discount", most=100) * 100, "elder": elder,
        "used_today": fields.whole("used_today", most=50),
        "used_this_week": fields.whole("used_this_week", most=50),
    })  # fmt: skip
