"""What the elder's pages show of orders and quotas: a few plain facts, each with its words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.facts import facts_on
from canteen.elders.models import Elder
from canteen.orders import finding
from canteen.orders.models import Order
from canteen.subsidies import explaining
from canteen.subsidies.cases import Case, ElderFacts, Quote
from canteen.subsidies.eligibility import excluded, match
from canteen.subsidies.granting import used
from canteen.subsidies.policies import NoPolicyInForce
from canteen.subsidies.publishing import by_id, in_force
from canteen.words import Text

REFUSED = {
    "deceased": Text("登记为已去世，不能再补贴", "Registered as deceased; no subsidy is paid"),
    "moved_away": Text("户口已迁出，不再补贴", "Registered as moved away; no subsidy is paid"),
    "in_institution": Text(
        "住在养老机构期间没有补贴", "No subsidy while living in a care institution"
    ),
    "long_term_care": Text(
        "享受长期护理保险期间没有补贴", "No subsidy while covered by long-term-care insurance"
    ),
}
NO_GROUP = Text(
    "按现在的登记暂时没有补贴；食堂自己的优惠照样有",
    "There is no subsidy as you are registered now; the canteen's own discount still counts",
)


@dataclass(frozen=True)
class Week:
    """How the elder's subsidised meals of one week stand on a day."""

    used: int
    cap: int
    on: date
    next_monday: date
    today_used: bool


@dataclass(frozen=True)
class Shown:
    """One order of a list, with where it is and what it holds."""

    order: Order
    place: Canteen
    lines: Sequence[Any]


def week_of(elder: Elder, on: date) -> tuple[Week | None, Text | None]:
    """The elder's week by the policy of their own district, or why there is no subsidy.

    Both are None where the policy counts no weeks.
    """
    try:
        policy = in_force(elder.street_code[:6], on).policy
    except NoPolicyInForce as none:
        return None, none.text
    facts = ElderFacts(**facts_on(elder.id, on).as_dict())
    refused = excluded(policy, facts, on)
    if refused:
        return None, REFUSED[refused[0]]
    if match(policy, facts, on).group is None:
        return None, NO_GROUP
    if not policy.caps.per_week:
        return None, None
    counted = used(policy, elder.id, on, policy.meals[0])
    today_used = counted.get("used_today", 0) > 0
    return _week(counted.get("used_this_week", 0), policy.caps.per_week, on, today_used), None


def week_after(order: Order, quote: Quote) -> Week | None:
    """How the week stood right after an order, from what it was priced with."""
    if order.policy_id is None or not quote.uses_quota:
        return None
    cap = by_id(order.policy_id).policy.caps.per_week
    if not cap:
        return None
    case = Case.from_dict(order.inputs)
    return _week(case.used_this_week + 1, cap, order.on, True)


def _week(count: int, cap: int, on: date, today_used: bool) -> Week:
    return Week(count, cap, on, clock.week_start(on) + timedelta(days=7), today_used)


def strip(quote: Quote) -> dict[str, Any]:
    """A quote as the price strip draws it: the four sums, who pays the subsidy, and why."""
    paid = quote.funders()["elder"]
    return {
        "list_fen": quote.list_fen, "discount_fen": quote.discount_fen,
        "subsidy_fen": quote.subsidy_fen, "payable_fen": quote.payable_fen,
        "account_fen": quote.account_fen, "why": explaining.why(quote),
        "payers": [(explaining.FUNDERS.get(who, Text(who, who)), fen) for who, fen in paid.items()],
    }


def places(canteen_ids: Collection[int]) -> Mapping[int, Canteen]:
    """Canteens by id, whatever their sign says now: an old order was eaten somewhere."""
    query = sa.select(Canteen).where(Canteen.id.in_(set(canteen_ids)))
    return {canteen.id: canteen for canteen in db.session.scalars(query)}


def listed(orders: Sequence[Order]) -> list[Shown]:
    """Orders as a list shows them, in three queries at most."""
    if not orders:
        return []
    lines = finding.lines_of([order.id for order in orders])
    where = places([order.canteen_id for order in orders])
    return [Shown(order, where[order.canteen_id], lines[order.id]) for order in orders]


def greeting(at: datetime) -> Text:
    """Good morning, afternoon or evening, by the clock in Shanghai."""
    hour = clock.local(at).hour
    if 4 <= hour < 12:
        return Text("早上好" if hour < 9 else "上午好", "Good morning")
    return Text("下午好", "Good afternoon") if 12 <= hour < 18 else Text("晚上好", "Good evening")
