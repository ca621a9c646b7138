"""Caps, places and times: each case is planted beside an innocent neighbour; only it is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.canteens.models import Closure, MealPeriod
from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.subsidies.models import PolicyVersion
from tests.checks.world import DAY, Plant, World, finds_just, found, keys, make_world, run
from tests.factories import make_canteen


def second_of_day(world: World) -> list[str]:
    """Lunch and dinner of one day; the neighbour's first was taken back."""
    greedy, honest = world.elder(), world.elder()
    world.meal(greedy)
    gone = world.meal(honest)
    world.take_back(gone, timedelta(minutes=5))
    world.meal(honest, meal="dinner", hour=17)
    return [f"order:{world.meal(greedy, meal='dinner', hour=17)}"]


def sixth_of_week(world: World) -> list[str]:
    """Six days of a week; the neighbour eats five, and five more in the next."""
    greedy, honest = world.elder(), world.elder()
    monday = date(2026, 10, 5)
    last = [world.meal(greedy, monday + timedelta(days=n)) for n in range(6)][-1]
    for number in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11):
        world.meal(honest, monday + timedelta(days=number))
    return [f"order:{last}"]


def week_across_months(world: World) -> list[str]:
    """Monday to Wednesday are of September, and count."""
    elder = world.elder()
    monday = date(2026, 9, 28)
    for number in range(3):
        world.meal(elder, monday + timedelta(days=number), period="2026-09")
    later = [world.meal(elder, monday + timedelta(days=n)) for n in range(3, 6)]
    return [f"order:{later[-1]}"]


def same_meal_twice(world: World) -> list[str]:
    """Two lunches; the neighbour has a lunch and a dinner."""
    greedy, other = world.elder(), world.elder()
    world.meal(greedy)
    world.meal(other)
    world.meal(other, meal="dinner", hour=17)
    return [f"order:{world.meal(greedy, canteen=world.there, hour=12)}"]


def not_covered(world: World) -> list[str]:
    """The policy of 2022 has no breakfast."""
    old = db.session.scalar(sa.text(
        "SELECT id FROM policy_versions WHERE territory_code = '120000'"
        " AND in_force_from = '2022-07-08'"
    ))  # fmt: skip
    assert old is not None
    elder, other = world.elder(), world.elder()
    world.meal(other, meal="breakfast", hour=7)
    world.policy_id = old
    return [f"order:{world.meal(elder, meal='breakfast', hour=7)}"]


def two_places(world: World) -> list[str]:
    """Nine kilometres in ten minutes; the neighbour took two hours."""
    world.here.latitude, world.here.longitude = 39.10, 117.20
    world.there.latitude, world.there.longitude = 39.18, 117.20
    quick, slow = world.elder(), world.elder()
    world.meal(quick, hour=11, minute=0)
    world.meal(slow, hour=11, minute=0)
    world.meal(slow, hour=13, minute=0, canteen=world.there)
    return [f"order:{world.meal(quick, hour=11, minute=10, canteen=world.there)}"]


def at_full_price(world: World) -> list[str]:
    """The other use of the card that day is at full price, before or after; the neighbours had two
    hours, were brought the other meal, or did not fetch it, at full price or not."""
    both = two_places(world)
    after, before, slow, waiting, at_home, fetched = (world.elder() for _ in range(6))
    far = {"canteen": world.there, "granted": False, "hour": 11, "minute": 10}
    not_yet = {"state": "placed", "served_at": None, "served_by": None}
    late = world.meal(after, hour=11, minute=0)
    world.meal(after, **far)
    early = world.meal(before, hour=11, minute=20)
    world.meal(before, **far)
    for elder, more in (
        (slow, {"hour": 13}), (at_home, {"service": "delivery"}), (waiting, not_yet),
        (fetched, not_yet | {"granted": True}),
    ):
        world.meal(elder, hour=11, minute=0)
        world.meal(elder, **(far | more))
    return sorted([*both, f"order:{late}", f"order:{early}"])


def unmapped(world: World) -> list[str]:
    """Ten minutes between two canteens, of which nobody knows where one is; the neighbour took an
    hour."""
    world.here.latitude, world.here.longitude = 39.10, 117.20
    world.there.latitude = world.there.longitude = None
    quick, slow = world.elder(), world.elder()
    guilty = world.meal(quick, hour=11, minute=0)
    world.meal(quick, hour=11, minute=10, canteen=world.there, granted=False)
    world.meal(slow, hour=11, minute=0)
    world.meal(slow, hour=12, minute=0, canteen=world.there, granted=False)
    return [f"order:{guilty}"]


def many_canteens(world: World) -> list[str]:
    """Four canteens in a week, each told by itself; the neighbour eats at one."""
    wanderer, settled = world.elder(), world.elder()
    places = [world.here, world.there, make_canteen(), make_canteen("120103001")]
    monday = date(2026, 10, 5)
    for number, canteen in enumerate(places):
        world.meal(wanderer, monday + timedelta(days=number), canteen=canteen)
        world.meal(settled, monday + timedelta(days=number))
    week = (monday - date(1970, 1, 1)).days
    return sorted(f"elder:{wanderer.id}:{at.id}:week:{week}:2026-10" for at in places)


def out_of_hours(world: World) -> list[str]:
    """Lunch at three, when nothing is served; the neighbour's at a quarter past two."""
    world.meal(world.elder(), hour=14, minute=15)
    return [f"order:{world.meal(world.elder(), hour=15)}"]


def dinner_hours(world: World) -> list[str]:
    """Lunch at five, when dinner is served."""
    world.meal(world.elder(), meal="dinner", hour=17)
    return [f"order:{world.meal(world.elder(), hour=17)}"]


def no_breakfast_here(world: World) -> list[str]:
    """The canteen has no breakfast."""
    db.session.execute(
        sa.delete(MealPeriod).where(
            MealPeriod.canteen_id == world.here.id, MealPeriod.meal == "breakfast"
        )
    )
    world.meal(world.elder(), meal="breakfast", hour=7, canteen=world.there)
    return [f"order:{world.meal(world.elder(), meal='breakfast', hour=7)}"]


def closed_day(world: World) -> list[str]:
    """Announced closed; the day after it was open."""
    db.session.add(Closure(canteen_id=world.there.id, on=DAY, reason="停水"))
    elder = world.elder()
    world.meal(elder, DAY + timedelta(days=1), canteen=world.there)
    return [f"order:{world.meal(elder, canteen=world.there)}"]


def closed_weekday(world: World) -> list[str]:
    """A Sunday at a canteen of working days."""
    world.there.open_weekdays = "12345"
    elder = world.elder()
    world.meal(elder, canteen=world.there)
    return [f"order:{world.meal(elder, date(2026, 10, 11), canteen=world.there)}"]


def other_day(world: World) -> list[str]:
    """A meal of Tuesday written down on Wednesday morning."""
    elder = world.elder()
    late = world.city.now + timedelta(days=1)
    return [f"order:{world.meal(elder, served_at=late)}"]


CASES: dict[str, tuple[str, Plant]] = {
    "second_of_day": ("second_of_day", second_of_day),
    "sixth_of_week": ("sixth_of_week", sixth_of_week),
    "sixth_of_a_week_across_months": ("sixth_of_week", week_across_months),
    "same_meal_twice": ("same_meal_twice", same_meal_twice),
    "meal_not_covered": ("meal_not_covered", not_covered),
    "impossible_way": ("impossible_way", at_full_price),
    "way_unknown": ("way_unknown", unmapped),
    "many_canteens": ("many_canteens", many_canteens),
    "out_of_hours": ("out_of_hours", out_of_hours),
    "other_meals_hours": ("other_meals_hours", dinner_hours),
    "meal_not_served": ("meal_not_served", no_breakfast_here),
    "closed_day": ("closed_day", closed_day),
    "closed_weekday": ("closed_weekday", closed_weekday),
    "other_day": ("other_day", other_day),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_planted_is_found_and_nothing_else(app: Flask, case: str) -> None:
    finds_just(*CASES[case])


def test_the_distance_is_told_with_the_other_meal(app: Flask) -> None:
    world = make_world()
    with transaction():
        two_places(world)
    run("impossible_way", "way_unknown")
    assert keys("way_unknown") == []
    evidence = found("impossible_way")[0].evidence
    assert evidence["minutes"] == 10
    assert abs(evidence["metres"] - 8_895) < 20
    assert evidence["other_canteen_id"] == world.here.id


def test_more_than_a_month_allows_is_found_where_the_policy_has_such_a_cap(app: Flask) -> None:
    world = make_world()
    with transaction():
        elder = world.elder()
        _policy_of(world, lambda body: body["caps"].update(per_month=2))
        meals = [world.meal(elder, DAY + timedelta(days=n)) for n in range(3)]
    run("over_month")
    assert keys("over_month") == [f"order:{meals[-1]}"]


def _layer(fen: int, **more: object) -> dict:
    """A flat part of a policy."""
    return {"code": f"p{fen}", "amount": {"kind": "flat", "fen": fen}, **more}


@pytest.mark.parametrize(("parts", "of", "side", "given_fen", "due_fen"), [
    ({"layers": [_layer(250)]}, {}, "elder", 300, 250),
    ({"layers": [_layer(200), _layer(50, groups=["G1"]), _layer(100, groups=["G2"])]}, {},
     "elder", 300, 250),
    ({"layers": [_layer(300, meals=["dinner"]), _layer(200)]}, {}, "elder", 300, 200),
    ({"layers": [_layer(250)]}, {"account": True}, "elder", 300, 250),
    ({"enterprise": [_layer(100), _layer(100, groups=["G2"])]}, {}, "enterprise", 200, 100),
    ({"enterprise": [_layer(100, grade_scale=[{"grade": "excellent", "bp": 12_000}])],
      "delivery": [_layer(50)]}, {"service": "delivery"}, "enterprise", 200, 170),
    ({"enterprise": [_layer(100)], "delivery": [_layer(100)]}, {}, "enterprise", 200, 100),
])  # fmt: skip
def test_more_than_the_policy_gives_at_most_is_found(
    app: Flask, parts: dict, of: dict, side: str, given_fen: int, due_fen: int
) -> None:
    world = make_world()
    with transaction():
        if "layers" in parts:  # what has no upper bound is not recounted, and says nothing else
            _policy_of(world, lambda body: body.update(
                layers=[*parts["layers"], _layer(0, amount={"kind": "rest"})]
            ))  # fmt: skip
            world.meal(world.elder(), **of)
        _policy_of(world, lambda body: body.update(parts))
        order = world.meal(world.elder(), **of)
        _policy_of(world, lambda body: body.update({
            name: [*given, _layer(100)] for name, given in parts.items()
        }))  # fmt: skip
        world.meal(world.elder(), **of)
    run("over_amount")
    [over] = found("over_amount")
    told = over.evidence
    assert over.key == f"order:{order}"
    assert (told["side"], told["given_fen"], told["due_fen"]) == (side, given_fen, due_fen)


def _policy_of(world: World, change: Callable[[dict], None]) -> None:
    """A copy of the policy, changed, for the meals that follow."""
    own = db.session.get_one(PolicyVersion, world.policy_id)
    body = copy.deepcopy(own.body)
    change(body)
    number = db.session.query(PolicyVersion).count()
    since = date(2026, 1, 1) + timedelta(days=number)
    new = PolicyVersion(
        code="test", digest=f"{number:064d}", territory_code="120104", in_force_from=since,
        document="test", body=body, published_by="user:1", published_at=own.published_at,
    )
    db.session.add(new)
    db.session.flush()
    world.policy_id = new.id


def _crowd(world: World, count: int, gap_s: int, hour: int, **more: object) -> list[int]:
    start = hour * 3600 + 7
    meals = []
    for number in range(count):
        hour_, rest = divmod(start + number * gap_s, 3600)
        meals.append(
            world.meal(world.elder(), hour=hour_, minute=rest // 60, second=rest % 60, **more)
        )
    return meals


def test_a_stack_of_cards_read_in_a_row_is_one_burst(app: Flask) -> None:
    world = make_world()
    with transaction():
        meals = _crowd(world, 12, 5, 12)
        _crowd(world, 12, 40, 12, canteen=world.there)
    run("burst")
    [burst] = found("burst")
    assert burst.canteen_id == world.here.id
    assert (burst.evidence["meals"], burst.evidence["seconds"]) == (12, 55)
    assert burst.amount_fen == 12 * 500
    assert sorted(map(int, burst.evidence["order_ids"].split(","))) == meals


def test_a_stack_of_cards_counts_though_not_every_meal_was_subsidised(app: Flask) -> None:
    world = make_world()
    with transaction():
        subsidised = _crowd(world, 9, 5, 12)
        others = _crowd(world, 9, 5, 13, canteen=world.there)
        for number in range(2):
            seconds = {"minute": 0, "second": 54 + number * 3, "granted": False}
            subsidised.append(world.meal(world.elder(), hour=12, **seconds))
            # An elder's card is read; a passer-by pays and shows none.
            passing = world.meal(world.elder(), hour=13, canteen=world.there, **seconds)
            db.session.get_one(Order, passing).elder_id = None
    run("burst")
    [burst] = found("burst")
    assert (burst.evidence["sales"], burst.evidence["meals"]) == (11, 9)
    assert burst.amount_fen == 9 * 500
    assert sorted(map(int, burst.evidence["order_ids"].split(","))) == subsidised
    assert len(others) == 9


def test_ten_cards_within_three_minutes_are_a_burst_however_they_are_spread(app: Flask) -> None:
    world = make_world()
    with transaction():
        meals = [world.extra["innocent"]]  # with eight others and a guest within 175 seconds
        meals += [
            world.meal(world.elder(), minute=minute, second=second, granted=second != 59)
            for minute, second in ((13, 30), (13, 53), (14, 1), (14, 30), (14, 59), (15, 20),
                                   (15, 30), (15, 41), (16, 2))
        ]  # fmt: skip
        world.meal(world.elder(), minute=30)
        crowd = _crowd(world, 10, 21, 12, canteen=world.there)  # ten in 189 seconds
        world.meal(world.elder(), hour=12, minute=5, canteen=world.there)
    run("burst")
    [burst] = found("burst")
    assert sorted(map(int, burst.evidence["order_ids"].split(","))) == meals
    assert (burst.evidence["sales"], burst.evidence["meals"]) == (10, 9)
    assert (burst.evidence["seconds"], len(crowd)) == (175, 10)


def test_meals_crowded_before_closing_are_found(app: Flask) -> None:
    world = make_world()
    with transaction():
        _crowd(world, 30, 10, 13, canteen=world.there)
        for number in range(30):
            world.meal(world.elder(), hour=13, minute=51 + number % 8)
    run("before_closing")
    assert keys("before_closing") == [f"canteen:{world.here.id}:2026-10"]


def test_times_too_round_are_found(app: Flask) -> None:
    world = make_world()
    with transaction():
        _crowd(world, 30, 37, 11, canteen=world.there)
        for number in range(30):
            world.meal(world.elder(), hour=11, minute=number % 12 * 5, second=0)
    run("round_times")
    assert keys("round_times") == [f"canteen:{world.here.id}:2026-10"]
