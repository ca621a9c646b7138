"""The replay agrees to the fen with pricing every order by itself, whatever the policies say."""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.orders.placing import place
from canteen.orders.wishing import Wish
from canteen.subsidies.policies import Overlay, Policy, load_folder
from canteen.whatif import rules
from canteen.whatif.calendar import Calendar
from canteen.whatif.replaying import BadDrafts, BadPeriod, UnknownTerritory, replay
from canteen.whatif.results import Outcome, Result
from canteen.whatif.scenarios import (
    BaseUnknown,
    Drafted,
    DraftElsewhere,
    InForceThen,
    OverlayTextMissing,
)
from tests.factories import make_city, make_menu
from tests.subsidies import random_rules
from tests.whatif.drafts import draft
from tests.whatif.world import FIRST, LAST, Slow, make_meals, served, slow

SHIPPED = load_folder()


def here(document: Policy | Overlay) -> Policy | Overlay:
    """A policy of another city, as if it were a draft for this one."""
    if document.territory.startswith("12"):
        return document
    return msgspec.structs.replace(document, territory="120000")


def agree(outcome: Outcome, expected: Slow) -> None:
    """Every sum of an outcome against the slow replay."""
    total = outcome.total
    assert total.meals == expected.meals
    sides: dict[tuple[str, str], int] = {
        (side, funder): fen
        for funder, of_funder in outcome.by_funder.items()
        for side, fen in of_funder.items()
        if fen
    }
    assert sides == dict(expected.shares)
    assert total.total_fen == sum(expected.shares.values()) == sum(total.funders.values())
    cells = {
        (name, key): [sums.meals, sums.total_fen]
        for name in ("district", "tier", "band", "month")
        for key, sums in getattr(outcome, f"by_{name}").items()
        if sums.meals
    }
    assert cells == dict(expected.cells)


def agree_on_people(outcome: Outcome, before: dict[int, int], after: dict[int, int]) -> None:
    """Who gains and who loses, elder by elder."""
    changes = {n: after.get(n, 0) - before.get(n, 0) for n in {*before, *after}}
    people = outcome.everybody()
    assert people.gain == sum(c > 0 for c in changes.values())
    assert people.gain_fen == sum(c for c in changes.values() if c > 0)
    assert people.lose == sum(c < 0 for c in changes.values())
    assert people.lose_fen == -sum(c for c in changes.values() if c < 0)
    assert people.subsidised == sum(fen > 0 for fen in after.values())


def compare(
    drafts: list[Policy | Overlay], first: date = FIRST, last: date = LAST,
    territory: str = "120000",
) -> Result:
    """Replay both ways and compare everything."""
    result = replay(drafts, first, last, territory)
    calendar, then = Calendar(first, last), InForceThen()
    orders = served(calendar)
    ground = territory.rstrip("0") if territory == "120000" else territory
    before = slow(then, calendar, orders, ground)
    agree(result.in_force, before)
    for each, outcome in zip(drafts, result.drafts, strict=True):
        after = slow(Drafted(each, then, SHIPPED), calendar, orders, ground)
        agree(outcome, after)
        agree_on_people(outcome, before.elders, after.elders)
    return result


def test_every_shipped_policy_is_replayed_to_the_fen(app: Flask) -> None:
    make_meals(Random(1))
    paid = set()
    drafts = [here(document) for document in SHIPPED]
    for start in range(0, len(drafts), 4):
        for outcome in compare(drafts[start : start + 4]).drafts:
            paid.add(outcome.total.total_fen)
    assert len(paid) > 5, "policies that differ cost different sums"


@pytest.mark.parametrize("seed", range(3))
def test_any_drafts_are_replayed_to_the_fen(app: Flask, seed: int) -> None:
    dice = Random(seed)
    make_meals(dice)
    paying = 0
    for _ in range(3):
        result = compare([random_rules.policy(dice) for _ in range(4)])
        paying += sum(outcome.total.meals > 0 for outcome in result.drafts)
    assert paying > 3


@pytest.mark.parametrize("territory", ["120103", "120104002"])
def test_on_smaller_ground_meals_elsewhere_still_use_up_the_caps(
    app: Flask, territory: str
) -> None:
    make_meals(Random(5))
    result = compare([draft(1500)], territory=territory)
    whole = compare([draft(1500)])
    assert 0 < result.orders < whole.orders
    assert 0 < result.in_force.total.meals < whole.in_force.total.meals


def test_what_a_meal_costs_does_not_depend_on_where_the_period_begins(app: Flask) -> None:
    make_meals(Random(6))
    whole = replay([draft(400)], date(2024, 5, 1), date(2024, 5, 31)).drafts[0].total
    cuts = (1, 9, 22, 31)  # within weeks
    parts = [
        replay([draft(400)], date(2024, 5, a + (a > 1)), date(2024, 5, b)).drafts[0].total
        for a, b in pairwise(cuts)
    ]
    assert whole.meals == sum(part.meals for part in parts) > 0
    assert whole.total_fen == sum(part.total_fen for part in parts)


def test_prices_forgotten_on_the_way_are_found_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_meals(Random(7), orders=300)
    monkeypatch.setattr(rules, "MOST_KINDS", 3)
    monkeypatch.setattr("canteen.whatif.meals.MOST_KINDS", 5)
    compare([draft(400)])


def test_orders_without_facts_are_left_out_and_counted(app: Flask) -> None:
    make_meals(Random(8))
    asked = sa.select(sa.func.count()).where(
        Order.state == "served", Order.elder_id.is_not(None), Order.on.between(FIRST, LAST)
    )
    result = replay([draft(400)], FIRST, LAST)
    assert result.without_facts > 0
    assert result.orders + result.without_facts == db.session.scalar(asked)
    assert result.to_dict()["without_facts"] == result.without_facts


def test_facts_nobody_can_read_are_left_out_and_counted(app: Flask) -> None:
    make_meals(Random(8), orders=60)
    before = replay([draft(400)], FIRST, LAST)
    with transaction() as session:
        spoilt = session.scalars(
            sa.select(Order).where(
                Order.state == "served", Order.elder_id.is_not(None), Order.on == LAST
            )
        ).all() or [session.scalars(sa.select(Order).where(Order.inputs.is_not(None))).first()]
        for order in spoilt:
            order.on, order.state, order.elder_id = LAST, "served", order.elder_id or 1
            order.inputs = {"district": "999999", "on": "no day", "elder": {}}
    after = replay([draft(400)], FIRST, LAST)
    assert after.without_facts > before.without_facts
    assert after.orders + after.without_facts >= before.orders + before.without_facts


def test_the_gains_of_a_wider_draft_are_what_it_costs_more_for_elders(app: Flask) -> None:
    make_meals(Random(9))
    more, same = draft(400), next(d for d in SHIPPED if d.code == "tianjin-V2024")
    since = date(2024, 5, 20)
    result = compare([more, same], first=since)
    wider, unchanged = result.drafts
    people = wider.everybody()
    assert people.lose == people.lose_fen == 0
    assert people.gain_fen == wider.total.elder_fen - result.in_force.total.elder_fen > 0
    assert unchanged.everybody().gain == unchanged.everybody().lose == 0
    assert unchanged.total == result.in_force.total


def test_what_was_in_force_replayed_is_what_was_granted(app: Flask) -> None:
    monday = date(2026, 10, 5)
    city = make_city(monday)
    for number in range(9):
        on = monday + timedelta(days=number)
        with transaction():
            item = make_menu(city.here, on, "dinner")[0]
            place(
                Wish(
                    canteen_id=city.here.id, on=on, meal="dinner", service="eat_in",
                    lines={item.id: 1}, elder_id=city.elder.id, serve_now=True,
                ),
                city.cashier, at=clock.instant(on, time(17)),
            )  # fmt: skip
    result = replay([draft(400)], monday, on)
    assert result.orders == 9
    assert result.recorded.meals == result.in_force.total.meals == 7, "five, and two next week"
    assert result.recorded.elder_fen == result.in_force.total.elder_fen == 7 * 300
    assert result.recorded.enterprise_fen == result.in_force.total.enterprise_fen == 7 * 200
    assert result.drafts[0].everybody().gain_fen == 7 * 100


def test_progress_is_told_and_whoever_hears_it_may_stop(app: Flask) -> None:
    make_meals(Random(10), orders=60)
    heard: list[float] = []
    replay([draft(400)], FIRST, LAST, tick=heard.append)
    assert heard == sorted(heard) and heard[-1] == 1

    class Stop(Exception):
        pass

    def stop(share: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        replay([draft(400)], FIRST, LAST, tick=stop)


def test_a_city_without_orders_costs_nothing(app: Flask) -> None:
    make_meals(Random(11), orders=0)
    result = replay([draft(400)], FIRST, LAST)
    assert (result.orders, result.elders, result.in_force.total.total_fen) == (0, 0, 0)
    assert list(result.in_force.by_month) == ["2024-05", "2024-06"]


def test_a_draft_of_the_city_keeps_the_overlay_of_a_district(app: Flask) -> None:
    make_meals(Random(12), orders=1)
    then = InForceThen()
    drafted = Drafted(draft(400), then, SHIPPED)
    assert drafted.policy("120103", LAST).name == "tianjin+hexi"  # type: ignore[union-attr]
    assert drafted.policy("120104", LAST) == draft(400)
    with pytest.raises(OverlayTextMissing):
        Drafted(draft(400), then, []).policy("120103", LAST)


def test_a_draft_overlay_is_laid_over_what_was_in_force(app: Flask) -> None:
    make_meals(Random(13), orders=1)
    overlay = next(d for d in SHIPPED if isinstance(d, Overlay))
    then = InForceThen()
    drafted = Drafted(msgspec.structs.replace(overlay, territory="120104"), then, SHIPPED)
    codes = [drafted.policy("120104", on).version for on in (FIRST, LAST)]  # type: ignore[union-attr]
    assert codes == ["V2022+V2020", "V2024+V2020"]
    assert drafted.policy("120103", LAST) == then.policy("120103", LAST)


def test_drafts_that_cannot_be_replayed_are_refused(app: Flask) -> None:
    make_meals(Random(14), orders=1)
    overlay: Any = next(d for d in SHIPPED if isinstance(d, Overlay))
    beijing = next(d for d in SHIPPED if d.name == "beijing")
    with pytest.raises(DraftElsewhere):
        replay([beijing], FIRST, LAST)
    with pytest.raises(DraftElsewhere):
        replay([overlay], FIRST, LAST, "120104")
    with pytest.raises(BaseUnknown):
        replay([msgspec.structs.replace(overlay, extends="nowhere")], FIRST, LAST)
    with pytest.raises(BadPeriod):
        replay([overlay], LAST, FIRST)
    with pytest.raises(UnknownTerritory):
        replay([overlay], FIRST, LAST, "120199")
    with pytest.raises(BadDrafts):
        replay([], FIRST, LAST)
