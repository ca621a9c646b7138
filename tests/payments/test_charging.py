"""Charges are settled once, withdrawn in time, and never give back more than they took."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider
from canteen.errors import CanteenError
from canteen.payments import charging
from canteen.payments.models import Charge, OutboxMessage, Refund

PERIOD = "2026-11"


def settle(charge: Charge, **told: Any) -> bool:
    with transaction():
        return charging.settle(charge.id, at=clock.now(), period=PERIOD, **told)


def refund(charge: Charge, amount_fen: int) -> Refund:
    with transaction():
        return charging.refund_charge(charge.id, amount_fen, at=clock.now(), period=PERIOD)


def state(charge: Charge) -> str:
    db.session.rollback()
    return db.session.get_one(Charge, charge.id).state


def messages() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxMessage.kind).order_by(OutboxMessage.id)))


def at_one_instant(app: Flask, count: int, act: Callable[[], Any]) -> list[Any]:
    """What `count` threads get that do the same act at the same moment; refusals by their code."""
    gate = Barrier(count)

    def one(_: int) -> Any:
        with app.app_context():
            gate.wait()
            try:
                return act()
            except CanteenError as refusal:
                return refusal.code
            finally:
                db.session.remove()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_a_charge_is_begun_once_however_often_it_is_tried(
    provider: PretendProvider, charge: Charge
) -> None:
    intent = charging.begin(charge)
    assert charging.begin(charge) == intent
    with transaction():
        charging.begun(charge.id, intent)
    assert len(provider.all("payment_intent")) == 1
    found = charging.of_order(charge.order_id)
    assert found and found.provider_id == intent.provider_id


def test_it_settles_the_first_time_only(charge: Charge) -> None:
    assert settle(charge, provider_id="pi_1", received_fen=1500) is True
    assert settle(charge, provider_id="pi_1", received_fen=1500) is False
    found = db.session.get_one(Charge, charge.id)
    assert (found.state, found.period, found.provider_id) == ("succeeded", PERIOD, "pi_1")
    assert messages() == []


def test_told_by_five_at_one_instant_it_settles_once(app: Flask, charge: Charge) -> None:
    told = at_one_instant(app, 5, lambda: settle(charge))
    assert sorted(told) == [False, False, False, False, True]


def test_another_amount_than_asked_for_is_not_taken(charge: Charge) -> None:
    with pytest.raises(charging.AmountDiffers, match=r"14\.99"):
        settle(charge, received_fen=1499)
    assert state(charge) == "pending"


def test_a_payment_that_comes_after_the_cancellation_is_given_back(charge: Charge) -> None:
    with transaction():
        assert charging.cancel(charge.id, at=clock.now()) is True
        assert charging.cancel(charge.id, at=clock.now()) is False
    assert settle(charge, provider_id="pi_1") is False
    assert settle(charge, provider_id="pi_1") is False
    assert messages() == ["cancel_charge", "refund"]
    assert charging.refunded_fen(charge.id) == 1500
    found = db.session.get_one(Charge, charge.id)
    assert (found.state, found.period) == ("succeeded", PERIOD)


def test_a_settled_charge_cannot_be_withdrawn(charge: Charge) -> None:
    settle(charge)
    with transaction():
        assert charging.cancel(charge.id, at=clock.now()) is False
        assert charging.fail(charge.id, at=clock.now()) is False
    assert (state(charge), messages()) == ("succeeded", [])


def test_cancelled_and_settled_at_one_instant_the_money_is_kept_or_given_back(
    app: Flask, charge: Charge
) -> None:
    def cancel() -> str:
        with transaction():
            return "cancelled" if charging.cancel(charge.id, at=clock.now()) else "too late"

    acts = iter([cancel, lambda: settle(charge)] * 2)
    answers = at_one_instant(app, 4, lambda: next(acts)())
    if "cancelled" in answers:
        assert True not in answers
        assert charging.refunded_fen(charge.id) == 1500
    else:
        assert answers.count(True) == 1
        assert charging.refunded_fen(charge.id) == 0


def test_only_what_arrived_can_be_given_back_and_no_more(charge: Charge) -> None:
    with pytest.raises(charging.NotPaid):
        refund(charge, 100)
    settle(charge)
    refund(charge, 1000)
    for amount in (501, 0, -1):
        with pytest.raises(charging.RefundTooLarge):
            refund(charge, amount)
    refund(charge, 500)
    with pytest.raises(charging.RefundTooLarge) as refused:
        refund(charge, 1)
    assert "0.00" in refused.value.text.en
    assert messages() == ["refund", "refund"]


def test_ten_refunds_at_one_instant_stay_within_the_charge(app: Flask, charge: Charge) -> None:
    settle(charge)
    answers = at_one_instant(app, 10, lambda: refund(charge, 400).amount_fen)
    assert sorted(answers, key=str) == [400] * 3 + ["refund_too_large"] * 7
    assert charging.refunded_fen(charge.id) == 1200


def test_a_refund_that_failed_may_be_tried_afresh(charge: Charge) -> None:
    settle(charge)
    first = refund(charge, 1500)
    with transaction():
        assert charging.refund_ended(first.id, "succeeded") is True
        assert charging.refund_ended(first.id, "succeeded") is False
        assert charging.refund_ended(first.id, "failed") is True
        assert charging.refund_ended(first.id, "succeeded") is False
    assert charging.refunded_fen(charge.id) == 0
    refund(charge, 1500)


def test_a_refusal_saves_nothing(charge: Charge) -> None:
    settle(charge)
    with pytest.raises(charging.RefundTooLarge), transaction():
        charging.refund_charge(charge.id, 1000, at=clock.now(), period=PERIOD)
        charging.refund_charge(charge.id, 1000, at=clock.now(), period=PERIOD)
    assert (charging.refunded_fen(charge.id), messages()) == (0, [])


def test_a_charge_nobody_knows_is_not_found(app: Flask) -> None:
    with pytest.raises(charging.NoCharge), transaction():
        charging.settle(99, at=clock.now(), period=PERIOD)
