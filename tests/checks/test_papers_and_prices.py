"""The canteen, its papers and its prices: each case beside an innocent neighbour."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.canteens.models import Licence, ListingChange, StandardSetPrice
from canteen.db import db, transaction
from canteen.orders.models import OrderLine, OrderRefund, OrderRefundLine
from tests.checks.world import DAY, Plant, World, finds_just, found, make_world, run
from tests.factories import make_canteen, make_menu


def expired(kind: str) -> Plant:
    """Valid until the day before; the neighbour's until the day itself."""

    def plant(world: World) -> list[str]:
        for canteen, until in ((world.there, date(2026, 10, 5)), (world.here, DAY)):
            db.session.execute(
                sa.update(Licence)
                .where(Licence.canteen_id == canteen.id, Licence.kind == kind)
                .values(valid_to=until)
            )
        return [f"order:{world.meal(world.elder(), canteen=world.there)}"]

    return plant


def no_paper(world: World) -> list[str]:
    """A canteen with nothing on file; the neighbours' papers ran out, or are."""
    bare = make_canteen()
    world.meal(world.elder(), canteen=bare)
    world.meal(world.elder(), canteen=bare)
    db.session.execute(
        sa.update(Licence).where(Licence.canteen_id == world.there.id)
        .values(valid_to=date(2026, 9, 30))
    )  # fmt: skip
    world.meal(world.elder(), canteen=world.there)
    return [f"canteen:{bare.id}:2026-10"]


def sign(status: str) -> Plant:
    """The status holds from ten to noon; the neighbours ate before and after."""

    def plant(world: World) -> list[str]:
        for hour, to in ((8, "listed"), (10, status), (12, "listed")):
            db.session.add(
                ListingChange(
                    canteen_id=world.there.id, from_status=None, to_status=to,
                    reason_code="rectified", reason="试", decided_by="user:1",
                    at=clock.instant(DAY, time(hour)), facts={},
                )
            )
        db.session.flush()
        elder = world.elder()
        world.meal(elder, canteen=world.there, hour=9)
        world.meal(elder, canteen=world.there, hour=12)
        return [f"order:{world.meal(elder, canteen=world.there, hour=11)}"]

    return plant


def over_portions(world: World) -> list[str]:
    """Two sold of a dish cooked once; with one taken back from the neighbour's it fits."""
    item, other = world.city.items[0], world.city.items_elsewhere[0]
    item.portions = item.taken = other.portions = other.taken = 1
    world.meal(world.elder())
    first = world.meal(world.elder(), canteen=world.there, lines=False)
    second = world.meal(world.elder(), canteen=world.there, lines=False)
    for order in (first, second):
        db.session.add(
            OrderLine(order_id=order, menu_item_id=other.id, quantity=1, unit_fen=1500)
        )
    refund(first, other.id, 1500)
    return [f"item:{item.id}"]


def refund(order_id: int, item_id: int, fen: int) -> None:
    """A dish taken back."""
    at = clock.instant(DAY, time(12))
    row = OrderRefund(
        order_id=order_id, at=at, on=DAY, refunded_by="user:1", reason_code="quality",
        list_fen=fen, discount_fen=0, payable_fen=fen, cash_fen=fen,
    )
    db.session.add(row)
    db.session.flush()
    db.session.add(OrderRefundLine(refund_id=row.id, menu_item_id=item_id, quantity=1))
    db.session.flush()


def over_seats(world: World) -> list[str]:
    """Five eat in where one seat turns four times; the neighbours take theirs away."""
    world.here.seats = world.there.seats = 1
    for _ in range(4):
        world.meal(world.elder())
    for _ in range(5):
        world.meal(world.elder(), canteen=world.there, service="pick_up")
    return [f"canteen:{world.here.id}:2026-10-06:lunch"]


def no_supplier(world: World) -> list[str]:
    """Tier 2 without a supplier; the neighbour names one."""
    world.there.tier = 2
    fed = make_canteen(tier=3, supplier_id=world.here.id)
    world.meal(world.elder(), canteen=fed)
    world.meal(world.elder(), canteen=world.there)
    return [f"canteen:{world.there.id}:2026-10"]


def supplier_closed(world: World) -> list[str]:
    """The supplier was suspended the day before; the neighbour's on the day after."""
    stopped = make_canteen(status="suspended", status_since=date(2026, 10, 5))
    stops = make_canteen(status="suspended", status_since=date(2026, 10, 7))
    world.there.tier, world.there.supplier_id = 2, stopped.id
    fed = make_canteen(tier=2, supplier_id=stops.id)
    world.meal(world.elder(), canteen=fed)
    world.meal(world.elder(), canteen=world.there)
    return [f"canteen:{world.there.id}:2026-10"]


def not_offered(world: World) -> list[str]:
    """Eaten in where there is no room; the neighbour picked up."""
    world.there.capabilities = ["pick_up"]
    world.meal(world.elder(), canteen=world.there, service="pick_up")
    return [f"order:{world.meal(world.elder(), canteen=world.there)}"]


def below_floor(world: World) -> list[str]:
    """One fen below the standard set; the neighbour exactly at it."""
    world.meal(world.elder(), list_fen=1300)
    return [f"order:{world.meal(world.elder(), list_fen=1299)}"]


def floor_raised(world: World) -> list[str]:
    """The district raised its set on the day; the day before, the price was enough."""
    db.session.add(
        StandardSetPrice(district_code="120104", from_on=DAY, price_fen=1600, set_by="user:1")
    )
    elder = world.elder()
    world.meal(elder, DAY - timedelta(days=1))
    innocent = world.extra["innocent"]
    return [f"order:{innocent}", f"order:{world.meal(elder)}"]


def refunded(world: World) -> list[str]:
    """Three yuan went back of fifteen; the neighbour's one yuan leaves enough."""
    item = world.city.items[0]
    guilty, fine = world.meal(world.elder()), world.meal(world.elder())
    refund(guilty, item.id, 300)
    refund(fine, item.id, 100)
    return [f"order:{guilty}"]


def above_menu(world: World) -> list[str]:
    """Sold for 16 where the menu says 15; the neighbour at 15, and one at 14."""
    world.meal(world.elder(), list_fen=1400)
    return [f"order:{world.meal(world.elder(), list_fen=1600)}"]


def lines_differ(world: World) -> list[str]:
    """The dishes come to 15, the price to 18."""
    order = world.meal(world.elder(), list_fen=1800, lines=False)
    item = world.city.items[0]
    db.session.add(OrderLine(order_id=order, menu_item_id=item.id, quantity=1, unit_fen=1500))
    db.session.flush()
    return [f"order:{order}"]


def dish_jump(world: World) -> list[str]:
    """15 yuan for weeks, 25 on the day; the neighbour's rose to 20."""
    for number in range(1, 7):
        for canteen in (world.here, world.there):
            make_menu(canteen, date(2026, 9, number))
    item, other = world.city.items[0], world.city.items_elsewhere[0]
    item.price_fen, other.price_fen = 2500, 2000
    return [f"item:{item.id}"]


def set_out_of_bounds(world: World) -> list[str]:
    """20 yuan where the city allows 19.50; the neighbouring district at 19.50."""
    for district, fen in (("120104", 2000), ("120103", 1950)):
        db.session.add(
            StandardSetPrice(
                district_code=district, from_on=date(2026, 9, 1), price_fen=fen, set_by="user:1"
            )
        )
    world.meal(world.elder(), canteen=world.there, list_fen=2000)
    return [f"canteen:{world.here.id}:2026-10"]


def at_floor(world: World) -> list[str]:
    """Forty meals at exactly 13 yuan; the neighbour's prices vary."""
    for number in range(40):
        elder = world.elder()
        world.meal(elder, canteen=world.there, list_fen=1300)
        world.meal(elder, list_fen=1300 + number % 2 * 100)
    return [f"canteen:{world.there.id}:2026-10"]


CASES: dict[str, tuple[str, Plant]] = {
    "food_licence_expired": ("food_licence_expired", expired("food")),
    "business_licence_expired": ("business_licence_expired", expired("business")),
    "agreement_expired": ("agreement_expired", expired("agreement")),
    "no_food_licence": ("no_food_licence", no_paper),
    "no_business_licence": ("no_business_licence", no_paper),
    "no_agreement": ("no_agreement", no_paper),
    "while_suspended": ("while_suspended", sign("suspended")),
    "while_delisted": ("while_delisted", sign("delisted")),
    "before_listing": ("before_listing", sign("public_notice")),
    "over_portions": ("over_portions", over_portions),
    "over_seats": ("over_seats", over_seats),
    "no_supplier": ("no_supplier", no_supplier),
    "supplier_closed": ("supplier_closed", supplier_closed),
    "service_not_offered": ("service_not_offered", not_offered),
    "below_floor": ("below_floor", below_floor),
    "floor_raised": ("below_floor", floor_raised),
    "at_floor": ("at_floor", at_floor),
    "refunded_below_floor": ("refunded_below_floor", refunded),
    "above_menu": ("above_menu", above_menu),
    "lines_differ": ("lines_differ", lines_differ),
    "dish_jump": ("dish_jump", dish_jump),
    "set_out_of_bounds": ("set_out_of_bounds", set_out_of_bounds),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_planted_is_found_and_nothing_else(app: Flask, case: str) -> None:
    finds_just(*CASES[case])


def test_only_the_part_above_the_portions_is_at_stake(app: Flask) -> None:
    world = make_world()
    with transaction():
        over_portions(world)
    run("over_portions")
    [suspicion] = found("over_portions")
    assert (suspicion.evidence["sold"], suspicion.evidence["portions"]) == (2, 1)
    assert suspicion.amount_fen == 500
