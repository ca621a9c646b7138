"""Deliveries, tills and refunds: each case beside an innocent neighbour."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from canteen.db import db, transaction
from tests.checks.world import AFTER, Plant, World, finds_just, found, keys, make_world, run
from tests.tills.drawers import make_till

NOON = timedelta(hours=1)


def delivered(world: World, **changes: object) -> int:
    """A delivery sent at eleven and signed for at half past, but for what is changed."""
    sent = world.city.now
    given = {"service": "delivery", "sent_at": sent, "served_at": sent + NOON / 2}
    return world.meal(world.elder(), **(given | changes))


def unsigned(world: World) -> list[str]:
    """Never signed for."""
    delivered(world)
    return [f"order:{delivered(world, state='placed', served_at=None, served_by=None)}"]


def never_sent(world: World) -> list[str]:
    """Signed for, never sent."""
    delivered(world)
    return [f"order:{delivered(world, sent_at=None)}"]


def signed_before_sent(world: World) -> list[str]:
    """Sent an hour after it was signed for."""
    delivered(world)
    return [f"order:{delivered(world, served_at=world.city.now - NOON)}"]


def slow(world: World) -> list[str]:
    """Four hours on the way; the neighbour three."""
    delivered(world, served_at=world.city.now + 3 * NOON)
    return [f"order:{delivered(world, served_at=world.city.now + 4 * NOON)}"]


def not_collected(world: World) -> list[str]:
    """Ordered, never fetched."""
    world.meal(world.elder())
    waiting = world.meal(world.elder(), state="placed", served_at=None, served_by=None)
    return [f"order:{waiting}"]


def late(world: World) -> list[str]:
    """Three days until it was uploaded; the neighbour one."""
    till = make_till(world.here.id)
    fine, guilty = world.meal(world.elder()), world.meal(world.elder())
    world.entry(till, fine, kept=True, lag=timedelta(days=1))
    world.entry(till, guilty, kept=True, lag=timedelta(days=3))
    return [f"order:{guilty}"]


def noted(note: str) -> Plant:
    """The server noted it; the neighbour's note is another."""

    def plant(world: World) -> list[str]:
        till = make_till(world.here.id)
        fine, guilty = world.meal(world.elder()), world.meal(world.elder())
        world.entry(till, fine, kept=True, notes=("late",))
        world.entry(till, guilty, kept=True, notes=("late", note))
        return [f"order:{guilty}"]

    return plant


def drift(world: World) -> list[str]:
    """Five meals by a clock that is off; the neighbour four."""
    mine, other = make_till(world.here.id), make_till(world.there.id)
    for number in range(5):
        world.entry(mine, world.meal(world.elder()), notes=("clock_drift",))
        if number:
            order = world.meal(world.elder(), canteen=world.there)
            world.entry(other, order, notes=("clock_drift",))
    return [f"till:{mine.id}:2026-10"]


def gap(world: World) -> list[str]:
    """Seven made, five arrived; at the neighbour's all did."""
    mine, other = make_till(world.here.id), make_till(world.there.id)
    mine.head, mine.claimed, other.head, other.claimed = 5, 7, 5, 5
    db.session.flush()
    return [f"till:{mine.id}:2026-10"]


def alarm(world: World) -> list[str]:
    """A broken chain; the neighbour's broke after the month."""
    mine, other = make_till(world.here.id), make_till(world.there.id)
    mine.alarm, mine.alarm_at = "forked", world.city.now
    other.alarm, other.alarm_at = "forked", AFTER
    db.session.flush()
    return [f"till:{mine.id}:2026-10"]


def kept(world: World) -> list[str]:
    """Thirty without network; at the neighbour's ten of thirty."""
    mine, other = make_till(world.here.id), make_till(world.there.id)
    for number in range(30):
        elder = world.elder()
        world.entry(mine, world.meal(elder), kept=True)
        world.entry(other, world.meal(elder, canteen=world.there), kept=number < 10)
    return [f"till:{mine.id}:2026-10"]


def withdrawn(world: World) -> list[str]:
    """Sold an hour after the till was withdrawn; the neighbour before."""
    till = make_till(world.here.id)
    till.withdrawn_at = world.city.now + NOON
    fine, guilty = world.meal(world.elder()), world.meal(world.elder(), hour=13)
    world.entry(till, fine)
    world.entry(till, guilty)
    return [f"order:{guilty}"]


def borne(world: World) -> list[str]:
    """Borne by the fund beyond the caps."""
    world.meal(world.elder(), inputs={"beyond_caps": False})
    beyond = world.meal(world.elder(), inputs={"beyond_caps": True}, enterprise_fen=0)
    return [f"order:{beyond}"]


CASES: dict[str, tuple[str, Plant]] = {
    "unsigned": ("unsigned", unsigned),
    "never_sent": ("never_sent", never_sent),
    "signed_before_sent": ("signed_before_sent", signed_before_sent),
    "slow_delivery": ("slow_delivery", slow),
    "not_collected": ("not_collected", not_collected),
    "late_upload": ("late_upload", late),
    "clock_drift": ("clock_drift", drift),
    "number_gap": ("number_gap", gap),
    "journal_alarm": ("journal_alarm", alarm),
    "over_allowance": ("over_allowance", noted("over_allowance")),
    "borne_beyond_caps": ("borne_beyond_caps", borne),
    "kept_share": ("kept_share", kept),
    "sold_out_at_till": ("sold_out_at_till", noted("over_portions")),
    "price_differs": ("price_differs", noted("price_differs")),
    "menu_differs": ("price_differs", noted("menu_differs")),
    "unknown_cashier": ("unknown_cashier", noted("unknown_cashier")),
    "after_shift": ("after_shift", noted("shift_closed")),
    "unknown_shift": ("after_shift", noted("unknown_shift")),
    "withdrawn_till": ("withdrawn_till", withdrawn),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_planted_is_found_and_nothing_else(app: Flask, case: str) -> None:
    finds_just(*CASES[case])


def test_deliveries_signed_in_one_go_are_one_finding(app: Flask) -> None:
    world = make_world()
    with transaction():
        for number in range(6):
            at = world.city.now + timedelta(seconds=10 * number)
            delivered(world, served_at=at, served_by="user:7")
            at = world.city.now + timedelta(minutes=10 * number)
            delivered(world, served_at=at, served_by="user:8")
    run("signed_at_once")
    [suspicion] = found("signed_at_once")
    assert (suspicion.evidence["user"], suspicion.evidence["meals"]) == ("user:7", 6)


def refunds(world: World, by: str, sales: int, back: int, after: timedelta) -> None:
    """So many sales of somebody, some of them taken back: every third whole, of the others a dish,
    and of one of those another dish. What nobody had paid for gives no money back."""
    for number in range(sales):
        order = world.meal(world.elder(), placed_by=by, lines=False)
        if number < back:
            (world.give_back if number % 3 else world.take_back)(order, after, by)
            if number == 1:
                world.give_back(order, after, by)
    for _ in range(6):
        unpaid = world.meal(world.elder(), placed_by=by, lines=False, paid_at=None, paid_on=None)
        world.take_back(unpaid, after, by)


def test_one_person_who_takes_back_far_more_than_the_others_is_found(app: Flask) -> None:
    world = make_world()
    with transaction():
        refunds(world, "user:7", 20, 10, timedelta(minutes=30))
        refunds(world, "user:8", 100, 6, timedelta(minutes=30))
        refunds(world, "user:9", 20, 9, timedelta(minutes=30))
    run("refund_rate")
    [suspicion] = found("refund_rate")
    assert suspicion.key == f"user:7:{world.here.id}:2026-10"
    assert (suspicion.evidence["refunds"], suspicion.evidence["sales"]) == (10, 26)


def test_sales_taken_back_at_once_again_and_again_are_found(app: Flask) -> None:
    world = make_world()
    with transaction():
        refunds(world, "user:7", 5, 5, timedelta(seconds=90))
        refunds(world, "user:8", 5, 4, timedelta(seconds=90))
        refunds(world, "user:9", 5, 5, timedelta(minutes=9))
    run("refund_at_once")
    assert keys("refund_at_once") == [f"user:7:{world.here.id}:2026-10"]


def test_meals_taken_back_long_after_the_diner_left_are_found(app: Flask) -> None:
    world = make_world()
    with transaction():
        refunds(world, "user:7", 3, 3, timedelta(hours=4))
        refunds(world, "user:8", 3, 3, timedelta(hours=2))
    run("refund_long_after")
    assert keys("refund_long_after") == [f"user:7:{world.here.id}:2026-10"]
