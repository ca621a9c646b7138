"""How a month looks as a whole, and where its money goes: guilty beside innocent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask

from canteen.canteens.models import Operator
from canteen.db import db, transaction
from tests.checks.test_people import at_both
from tests.checks.world import DAY, World, found, keys, make_world, run
from tests.factories import make_canteen
from tests.tills.drawers import make_till

Plant = Callable[[World], list[str]]
MONDAY = date(2026, 10, 5)


def canteen_key(world: World) -> list[str]:
    """The key of what is found of `there` as a whole."""
    return [f"canteen:{world.there.id}:2026-10"]


def perfect(world: World) -> list[str]:
    """Eight elders five times a week for three weeks; the neighbours four times."""
    for _ in range(8):
        elder, other = world.elder(), world.elder()
        for week in range(3):
            for number in range(5):
                on = MONDAY + timedelta(days=7 * week + number)
                world.meal(elder, on, canteen=world.there, lines=False)
                if number < 4:
                    world.meal(other, on, lines=False)
    return canteen_key(world)


def share(world: World) -> list[str]:
    """Fifty meals, all but two subsidised; at three peers half are."""
    peers = [world.here, make_canteen(), make_canteen()]
    elder = world.elder()
    for number in range(50):
        on = MONDAY + timedelta(days=number % 20)
        world.meal(elder, on, canteen=world.there, granted=number > 1, lines=False)
        for peer in peers:
            world.meal(elder, on, canteen=peer, granted=number % 2 == 0, lines=False)
    return canteen_key(world)


def procession(world: World) -> list[str]:
    """The same five in the same order on six days; the neighbours in ever another order."""
    five, others = [world.elder() for _ in range(5)], [world.elder() for _ in range(5)]
    for day in range(6):
        on = MONDAY + timedelta(days=day)
        for number in range(5):
            world.meal(five[number], on, canteen=world.there, minute=number * 2, lines=False)
            turned = others[(number * (day % 4 + 1)) % 5]
            world.meal(turned, on, minute=number * 2, lines=False)
    return canteen_key(world)


def one_user(world: World) -> list[str]:
    """One account for eight elders; another for two; a cashier for all."""
    for number in range(8):
        elder = world.elder()
        world.meal(elder, channel="online", placed_by="user:77")
        world.meal(elder, DAY + timedelta(days=1), channel="till", placed_by="user:78")
        if number < 2:
            world.meal(elder, DAY + timedelta(days=2), channel="elder", placed_by="user:79")
        if number == 7:
            again = {"canteen": world.there, "channel": "online", "placed_by": "user:77"}
            world.meal(elder, DAY + timedelta(days=2), **again)
    return at_both(world, "user:77")


def shared_phone(world: World) -> list[str]:
    """Five elders with one phone; a couple with another."""
    five = [world.elder(phone="19900009001") for _ in range(5)]
    for elder in (*five, *(world.elder(phone="19900009002") for _ in range(2))):
        world.meal(elder)
    world.meal(five[4], DAY + timedelta(days=1), canteen=world.there)
    return at_both(world, f"phone:{five[0].id}")


def staff_phone(world: World) -> list[str]:
    """The canteen's own phone."""
    world.there.phone = "19900009003"
    world.meal(world.elder(phone="19900009003"), canteen=world.there)
    world.meal(world.elder(phone="19900009003"))
    return canteen_key(world)


def without_card(world: World) -> list[str]:
    """Thirty by name; the neighbour's half by card."""
    mine, other = make_till(world.there.id), make_till(world.here.id)
    for number in range(30):
        elder = world.elder()
        world.entry(mine, world.meal(elder, canteen=world.there, lines=False), how="name")
        how = "card" if number % 2 else "name"
        world.entry(other, world.meal(elder, lines=False), how=how)
    return canteen_key(world)


def far_street(world: World) -> list[str]:
    """Ten from the other district's street; the neighbours from the canteen's own."""
    for _ in range(10):
        world.meal(world.elder(street="120104002"), canteen=world.there, lines=False)
        world.meal(world.elder(street="120104002"), lines=False)
    return [f"canteen:{world.there.id}:120104002:2026-10"]


def nobody_else(world: World) -> list[str]:
    """Fifty meals, all subsidised; the neighbour sold one at full price."""
    elder = world.elder()
    for number in range(50):
        on = MONDAY + timedelta(days=number % 20)
        world.meal(elder, on, canteen=world.there, lines=False)
        world.meal(elder, on, lines=False)
    world.meal(elder, granted=False)
    return canteen_key(world)


def shared_account(world: World) -> list[str]:
    """Two enterprises with one account, one of them without meals."""
    own = db.session.get_one(Operator, world.there.operator_id)
    twin = make_canteen()
    db.session.get_one(Operator, twin.operator_id).payout_account = own.payout_account
    for _ in range(2):
        world.meal(world.elder(), canteen=world.there)
    return canteen_key(world)


def operators_account(world: World) -> list[str]:
    """The elder's account is an operator's; the neighbour's is their own."""
    operator = db.session.get_one(Operator, world.there.operator_id)
    guilty = world.elder(payout_account=operator.payout_account)
    world.meal(guilty, account=True)
    world.meal(guilty, DAY + timedelta(days=1), account=True, canteen=world.there)
    world.meal(world.elder(payout_account="acct_own"), account=True)
    return at_both(world, f"elder:{guilty.id}")


def elders_account(world: World) -> list[str]:
    """Three elders with one account; a couple with another."""
    three = [world.elder(payout_account="acct_one") for _ in range(3)]
    for elder in (*three, *(world.elder(payout_account="acct_two") for _ in range(2))):
        world.meal(elder, account=True)
    world.meal(three[2], DAY + timedelta(days=1), account=True, canteen=world.there)
    return at_both(world, f"account:{three[0].id}")


def no_account(world: World) -> list[str]:
    """To account without one; the neighbour has one."""
    bare = world.elder()
    world.meal(bare, account=True)
    world.meal(bare, DAY + timedelta(days=1), account=True, canteen=world.there)
    world.meal(world.elder(payout_account="acct_one"), account=True)
    return at_both(world, f"elder:{bare.id}")


def own_past(world: World) -> list[str]:
    """Ten meals in each of three months, then fifty; the neighbour as many as ever."""
    elder = world.elder()
    for month, count in ((7, 10), (8, 11), (9, 10)):
        period = f"2026-{month:02d}"
        for number in range(48):
            on = date(2026, month, 1) + timedelta(days=number % 28)
            if number < count:
                world.meal(elder, on, canteen=world.there, period=period, lines=False)
            world.meal(elder, on, period=period, lines=False)
    for number in range(50):
        on = MONDAY + timedelta(days=number % 20)
        world.meal(elder, on, canteen=world.there, lines=False)
        world.meal(elder, on, lines=False)
    return canteen_key(world)


def above_tier(world: World) -> list[str]:
    """Two hundred meals where five peers have a few."""
    peers = [make_canteen() for _ in range(5)]
    elder = world.elder()
    for number, peer in enumerate(peers):
        for _ in range(3 + number):
            world.meal(elder, canteen=peer, lines=False)
    for number in range(200):
        world.meal(elder, MONDAY + timedelta(days=number % 20), canteen=world.there, lines=False)
    return canteen_key(world)


def meals_an_elder(world: World) -> list[str]:
    """Five elders with ten meals each where the peers' have one or two."""
    peers = [make_canteen() for _ in range(5)]
    for _ in range(5):
        elder = world.elder()
        for number, peer in enumerate(peers):
            world.meal(elder, canteen=peer, lines=False)
            if number % 2:
                world.meal(elder, DAY + timedelta(days=1), canteen=peer, lines=False)
        for number in range(10):
            world.meal(elder, MONDAY + timedelta(days=number), canteen=world.there, lines=False)
    return canteen_key(world)


CASES: dict[str, Plant] = {
    "perfect_attendance": perfect, "subsidised_share": share, "procession": procession,
    "one_user_orders": one_user, "shared_phone": shared_phone, "staff_phone": staff_phone,
    "without_card": without_card, "far_street": far_street, "nobody_else": nobody_else,
    "shared_account": shared_account, "elders_operator_account": operators_account,
    "elders_share_account": elders_account, "no_account": no_account, "above_own_past": own_past,
    "above_tier": above_tier, "meals_an_elder": meals_an_elder,
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_what_is_planted_is_found_and_nothing_else(app: Flask, code: str) -> None:
    world = make_world()
    with transaction():
        expected = CASES[code](world)
    run(code)
    assert keys(code) == expected
    assert all(suspicion.amount_fen > 0 for suspicion in found(code))
