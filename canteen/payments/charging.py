"""Asking diners for money and giving it back: charges, their settling, and refunds.

A charge is asked for in the order's own transaction and begun at the provider after it:

    with transaction():
        charge = charging.ask(order.id, order.canteen_id, order.payable_fen, at=now)
    intent = charging.begin(charge)           # speaks to the provider, no transaction open
    with transaction():
        charging.begun(charge.id, intent)

`begin` may be repeated as often as need be: it gives the same payment each time.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from canteen.db import changed, db
from canteen.errors import Conflict, NotFound, Refused
from canteen.money import yuan
from canteen.payments import gateway, outbox
from canteen.payments.models import Charge, Refund
from canteen.words import Text


class NoCharge(NotFound):
    """There is no such payment."""

    code = "charge_not_found"
    text = Text("没有找到这笔支付", "This payment was not found")


class NotPaid(Conflict):
    """The payment has not arrived, so nothing of it can be given back."""

    code = "not_paid"
    text = Text("这笔支付尚未到账，无法退款", "This payment has not arrived; no refund yet")


class RefundTooLarge(Refused):
    """More would be given back than was paid."""

    code = "refund_too_large"
    text = Text(
        "最多还能退 {left} 元，不能退 {wanted} 元",
        "At most {left} yuan can still be refunded, not {wanted}",
    )


class AmountDiffers(Conflict):
    """The provider says another amount was paid than was asked for: a person must look."""

    code = "amount_differs"
    text = Text(
        "支付平台通知的金额 {told} 元与应付 {asked} 元不一致",
        "The provider reports {told} yuan, but {asked} were asked for",
    )


def ask(order_id: int, canteen_id: int, amount_fen: int, *, at: datetime) -> Charge:
    """Note that `amount_fen` > 0 is asked of the diner of one order (once an order)."""
    charge = Charge(
        order_id=order_id, canteen_id=canteen_id, amount_fen=amount_fen, state="pending",
        asked_at=at,
    )
    db.session.add(charge)
    db.session.flush()
    return charge


def begin(charge: Charge) -> gateway.PaymentIntent:
    """Create the payment at the provider; outside any transaction, the same one every time.

    Refuses with ProviderRefused (then `fail` the charge); raises ProviderDown when there was no
    clear answer (then try again later: the charge stays pending).
    """
    return gateway.create_charge(charge.amount_fen, reference(charge), key(charge))


def begun(charge_id: int, intent: gateway.PaymentIntent) -> None:
    """Remember the provider's id of a payment that was begun."""
    db.session.execute(
        sa.update(Charge)
        .where(Charge.id == charge_id, Charge.provider_id.is_(None))
        .values(provider_id=intent.provider_id)
    )


def settle(
    charge_id: int, *, at: datetime, period: str, provider_id: str | None = None,
    received_fen: int | None = None,
) -> bool:
    """The payment arrived: count it into settlement month `period`. True only for the first time.

    True means: now mark the order paid. False means there is nothing to do: it was settled before,
    or it came after the order was cancelled, and then all of it is given back by itself (the
    taking and its refund fall into the same month). Refuses with AmountDiffers when the provider
    received another amount than was asked for.
    """
    charge = _held(charge_id)
    if charge.state == "succeeded":
        return False
    if received_fen is not None and received_fen != charge.amount_fen:
        raise AmountDiffers(told=yuan(received_fen), asked=yuan(charge.amount_fen))
    wanted = charge.state == "pending"
    known = charge.provider_id or provider_id
    took = changed(
        db.session.execute(
            sa.update(Charge)
            .where(Charge.id == charge_id, Charge.state == charge.state)
            .values(state="succeeded", settled_at=at, period=period, provider_id=known)
        )
    )
    if not took:
        return False
    db.session.refresh(charge)
    if not wanted:
        refund_charge(charge_id, charge.amount_fen, at=at, period=period)
    return wanted


def cancel(charge_id: int, *, at: datetime) -> bool:
    """Stop asking: the order was cancelled before it was paid. True when it was still pending.

    The provider hears of it through the outbox; a payment that slips in before is given back.
    """
    took = _close(charge_id, "cancelled", at)
    if took:
        put = {"charge_id": charge_id}
        outbox.put("cancel_charge", f"charge:{charge_id}", f"cancel:{charge_id}", put, at=at)
    return took


def fail(charge_id: int, *, at: datetime) -> bool:
    """The provider will never take this payment. True when it was still pending."""
    return _close(charge_id, "failed", at)


def refund_charge(charge_id: int, amount_fen: int, *, at: datetime, period: str) -> Refund:
    """Give back fen of a payment that arrived, in settlement month `period`, through the outbox.

    Refuses with NotPaid, or with RefundTooLarge when all refunds together would exceed the charge;
    the charge is locked for it, so two refunds at one instant cannot both slip under the limit.
    """
    charge = _held(charge_id)
    if charge.state != "succeeded":
        raise NotPaid()
    left = charge.amount_fen - refunded_fen(charge_id)
    if not 0 < amount_fen <= left:
        raise RefundTooLarge(field="amount_fen", left=yuan(left), wanted=yuan(amount_fen))
    refund = Refund(
        charge_id=charge_id, canteen_id=charge.canteen_id, amount_fen=amount_fen, state="pending",
        period=period, asked_at=at,
    )
    db.session.add(refund)
    db.session.flush()
    payload = {"charge_id": charge_id, "amount_fen": amount_fen}
    outbox.put("refund", f"refund:{refund.id}", f"refund:{refund.id}", payload, at=at)
    return refund


def refunded_fen(charge_id: int) -> int:
    """What was given back of a charge so far, or is on its way back, in fen."""
    total = db.session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_fen), 0)).where(
            Refund.charge_id == charge_id, Refund.state != "failed"
        )
    )
    return int(total or 0)


def refund_ended(refund_id: int, state: str) -> bool:
    """The provider said how a refund ended ("succeeded" or "failed"); True when that is news.

    A refund may still fail after it succeeded (the diner's account was closed), never the reverse.
    """
    before = ("pending",) if state == "succeeded" else ("pending", "succeeded")
    return bool(
        changed(
            db.session.execute(
                sa.update(Refund)
                .where(Refund.id == refund_id, Refund.state.in_(before))
                .values(state=state)
            )
        )
    )


def of_order(order_id: int) -> Charge | None:
    """The charge of an order, if it is paid online."""
    return db.session.scalar(sa.select(Charge).where(Charge.order_id == order_id))


def pending_since(before: datetime, limit: int = 200) -> list[Charge]:
    """Charges asked for before an instant and still open: their webhook may have been lost."""
    return list(
        db.session.scalars(
            sa.select(Charge)
            .where(Charge.state == "pending", Charge.asked_at < before)
            .order_by(Charge.asked_at)
            .limit(limit)
        )
    )


def reference(charge: Charge) -> str:
    """What the provider is told this payment is for."""
    return f"charge:{charge.id}"


def key(charge: Charge) -> str:
    """The idempotency key of a payment."""
    return outbox.sent_key(reference(charge), charge.asked_at)


def _held(charge_id: int) -> Charge:
    """The charge as it stands now, locked against everyone else until this act ends."""
    found = db.session.scalar(
        sa.select(Charge)
        .where(Charge.id == charge_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NoCharge()
    return found


def _close(charge_id: int, state: str, at: datetime) -> bool:
    return bool(
        changed(
            db.session.execute(
                sa.update(Charge)
                .where(Charge.id == charge_id, Charge.state == "pending")
                .values(state=state, settled_at=at)
            )
        )
    )
