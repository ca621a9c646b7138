"""A seeded city recounted the plain way: every order quoted by itself, its caps counted anew."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.clock import period_of
from canteen.db import db, transaction
from canteen.demo import city
from canteen.orders.models import Order
from canteen.subsidies.cases import Case
from canteen.subsidies.models import FundingShare, Grant
from canteen.subsidies.policies import Policy, load_folder, policy_for
from canteen.subsidies.pricing import quote
from canteen.territory.models import Territory
from canteen.whatif.replaying import replay
from canteen.whatif.results import Outcome

TODAY = date(2026, 11, 4)
FIRST, LAST = date(2026, 9, 28), date(2026, 11, 1)  # whole weeks, across two months
PLAN = city.Plan(canteens=18, elders=160, days=(TODAY - FIRST).days, seed=11, today=TODAY)
SHIPPED = load_folder()
V2024 = next(each for each in SHIPPED if each.code == "tianjin-V2024")


@pytest.fixture
def seeded(app: Flask) -> list[Order]:
    """Every order of an elder of a little demo city that was served, as they came."""
    with transaction():
        city.make_world(PLAN, lambda: None)
    served = sa.select(Order).where(
        Order.state == "served", Order.elder_id.is_not(None), Order.on.between(FIRST, LAST)
    )
    return list(db.session.scalars(served.order_by(Order.id)))


def four_from_75(**changes: Any) -> Policy:
    """Tianjin's policy with four yuan from 75 on, and whatever else is changed."""
    body = msgspec.json.decode(V2024.to_json())
    body["eligibility"][0]["min_age"] = 75
    body["layers"][0]["amount"] = {"kind": "flat", "fen": 400}
    return msgspec.convert(body | {"version": "V2027"} | changes, Policy)


def recount(orders: list[Order], draft: Policy) -> dict[str, Any]:
    """What a draft pays, by nothing but the engine's `quote` and counters of our own."""
    texts = [draft if each.code == V2024.code else each for each in SHIPPED]
    used: Counter[Any] = Counter()
    paid: Counter[Any] = Counter()
    elders: defaultdict[int, int] = defaultdict(int)
    for order in orders:
        case = Case.from_dict(order.inputs)
        policy = policy_for(texts, case.district, order.on)
        monday = order.on - timedelta(days=order.on.weekday())
        mine = (order.elder_id, order.on)
        counters = (
            mine, (order.elder_id, "week", monday), (*mine, order.meal),
            (order.elder_id, "month", order.on.year, order.on.month),
        )
        names = ("used_today", "used_this_week", "used_this_meal", "used_this_month")
        case = case.but(**{n: used[c] for n, c in zip(names, counters, strict=True)})
        quoted = quote(policy, case)
        if quoted.uses_quota:
            used.update(counters)
        fen = quoted.subsidy_fen + quoted.account_fen
        elders[order.elder_id or 0] += fen
        whole = fen + quoted.enterprise_fen + quoted.delivery_fen
        if whole:
            paid["meals"] += 1
        for name, key in (("district", case.district), ("month", period_of(order.on)),
                          ("tier", str(case.tier))):  # fmt: skip
            paid[name, key] += whole
        for share in quoted.shares:
            paid[share.side, share.funder] += share.amount_fen
    return {"paid": +paid, "elders": dict(elders)}


def told(outcome: Outcome) -> Counter[Any]:
    """The same sums as the replay tells them."""
    found: Counter[Any] = Counter({"meals": outcome.total.meals})
    for name in ("district", "month", "tier"):
        for key, sums in getattr(outcome, f"by_{name}").items():
            found[name, key] = sums.total_fen
    for funder, sides in outcome.by_funder.items():
        for side, fen in sides.items():
            found[side, funder] = fen
    return +found


@pytest.mark.parametrize(
    "caps", [{"per_day": 1, "per_week": 5}, {"per_meal": 1, "per_month": 12}, {"per_week": 2}]
)
def test_a_draft_costs_what_a_plain_recount_of_every_order_finds(
    seeded: list[Order], caps: dict[str, int]
) -> None:
    draft = four_from_75(caps=caps)
    result = replay([draft], FIRST, LAST)
    before, after = recount(seeded, V2024), recount(seeded, draft)  # type: ignore[arg-type]
    assert result.orders == len(seeded) > 1000
    assert told(result.in_force) == before["paid"]
    assert told(result.drafts[0]) == after["paid"] != before["paid"]
    changes = [fen - before["elders"][elder] for elder, fen in after["elders"].items()]
    people_ = result.drafts[0].everybody()
    assert people_.gain == sum(each > 0 for each in changes) > 0
    assert people_.gain_fen == sum(each for each in changes if each > 0)
    assert people_.lose == sum(each < 0 for each in changes)
    assert people_.lose_fen == -sum(each for each in changes if each < 0)


def test_a_draft_that_changes_nothing_gives_back_what_was_granted(seeded: list[Order]) -> None:
    result = replay([V2024], FIRST, LAST)
    granted = db.session.execute(
        sa.select(
            Grant.period, FundingShare.side, FundingShare.funder,
            sa.func.sum(Grant.sign * FundingShare.amount_fen),
        )
        .join(FundingShare, FundingShare.funding_id == Grant.funding_id)
        .where(Grant.on.between(FIRST, LAST))
        .group_by(Grant.period, FundingShare.side, FundingShare.funder)
    )  # fmt: skip
    by_funder: Counter[Any] = Counter()
    by_month: Counter[str] = Counter()
    for period, side, funder, fen in granted:
        by_funder[side, funder] += int(fen)
        by_month[period] += int(fen)
    for outcome in result.outcomes:
        assert {
            (side, funder): fen
            for funder, sides in outcome.by_funder.items() for side, fen in sides.items() if fen
        } == by_funder  # fmt: skip
        assert {m: sums.total_fen for m, sums in outcome.by_month.items()} == by_month
        assert outcome.total.meals == result.recorded.meals
    assert result.drafts[0].everybody().gain == result.drafts[0].everybody().lose == 0


def test_the_sums_of_the_districts_are_those_of_the_city(seeded: list[Order]) -> None:
    whole = replay([four_from_75()], FIRST, LAST)
    codes = db.session.scalars(sa.select(Territory.code).where(Territory.level == "district"))
    parts = [replay([four_from_75()], FIRST, LAST, code) for code in codes]
    for number, outcome in enumerate(whole.outcomes):
        assert outcome.total.meals == sum(part.outcomes[number].total.meals for part in parts)
        assert outcome.total.total_fen == sum(
            part.outcomes[number].total.total_fen for part in parts
        )
    assert whole.orders == sum(part.orders for part in parts)
