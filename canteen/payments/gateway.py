"""The only file that speaks HTTP to the payment provider, in the provider's terms and ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import stripe
from stripe import RequestsClient, StripeClient

from canteen import config
from canteen.db import in_transaction
from canteen.errors import Forbidden, Refused
from canteen.words import Text

# ".example" belongs to nobody: if nobody pretends to be the provider, nothing is reached.
PRETEND_URL = "https://pretend.provider.example"
CURRENCY = "cny"
TIMEOUT = (5, 20)  # seconds to connect, seconds to wait for each part of the answer
RETRIES = 2
TOLERANCE_SECONDS = 300
# What the provider calls the states of a payment, in our words; the rest is "pending".
STATES = {"succeeded": "succeeded", "canceled": "cancelled"}
Answer = TypeVar("Answer")


class ProviderDown(Exception):
    """No clear answer (network, timeout, 429, 5xx): the work may or may not be done.

    Call again with the same idempotency key; that does it once whatever happened before.
    """


class ProviderRefused(Refused):
    """The provider's final no: nothing was done, and the same call will never work."""

    code = "provider_refused"
    text = Text("支付平台没有接受：{reason}", "The payment provider refused: {reason}")

    def __init__(self, provider_code: str, reason: str) -> None:
        super().__init__(provider_code=provider_code, reason=reason)
        self.provider_code = provider_code
        self.reason = reason


class BadSignature(Forbidden):
    """A webhook that the provider did not sign, or signed more than 300 seconds ago."""

    code = "bad_signature"
    text = Text("通知签名无效或已过期", "The notice's signature is wrong or too old")


@dataclass(frozen=True)
class PaymentIntent:
    """A payment asked of a diner. state: "pending", "succeeded" or "cancelled".

    `client_secret` is what the diner's page needs to let them pay; it is not stored.
    """

    provider_id: str
    state: str
    amount_fen: int
    received_fen: int
    client_secret: str = field(repr=False)
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MoneyMoved:
    """A refund or a transfer at the provider. state: "pending", "succeeded" or "failed"."""

    provider_id: str
    state: str
    amount_fen: int
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """A webhook whose signature was right: `object` is the thing it is about, as JSON."""

    id: str
    kind: str
    object: dict[str, Any]
    made_at: datetime


def create_charge(amount_fen: int, reference: str, key: str) -> PaymentIntent:
    """Ask for a payment in fen; `reference` ("charge:7") and `key` come back with every event."""
    wish = {
        "amount": amount_fen,
        "currency": CURRENCY,
        "payment_method_types": ["alipay", "wechat_pay"],
        "metadata": {"reference": reference, "key": key},
    }
    return _intent(
        _ask(lambda client: client.v1.payment_intents.create(wish, {"idempotency_key": key}))
    )


def get_charge(provider_id: str) -> PaymentIntent:
    """The payment as the provider sees it now."""
    return _intent(_ask(lambda client: client.v1.payment_intents.retrieve(provider_id)))


def cancel_charge(provider_id: str, key: str) -> PaymentIntent:
    """Withdraw a payment not yet made; ProviderRefused when it was made or withdrawn before."""
    options = {"idempotency_key": key}
    return _intent(
        _ask(lambda client: client.v1.payment_intents.cancel(provider_id, options=options))
    )


def refund(provider_id: str, amount_fen: int, reference: str, key: str) -> MoneyMoved:
    """Give back fen of a payment; ProviderRefused when that is more than is left of it."""
    wish = {
        "payment_intent": provider_id,
        "amount": amount_fen,
        "metadata": {"reference": reference, "key": key},
    }
    return _refund(_ask(lambda client: client.v1.refunds.create(wish, {"idempotency_key": key})))


def find_refund(provider_id: str, key: str) -> MoneyMoved | None:
    """The refund of a payment that was asked for with this key, if there is one."""
    found = _ask(
        lambda client: client.v1.refunds.list({"payment_intent": provider_id, "limit": 100})
    )
    return next((one for one in map(_refund, found.data) if one.metadata.get("key") == key), None)


def transfer(account: str, amount_fen: int, reference: str, key: str) -> MoneyMoved:
    """Send fen to a connected account; `reference` ("payout:7") is also the transfer group."""
    wish = {
        "amount": amount_fen,
        "currency": CURRENCY,
        "destination": account,
        "transfer_group": reference,
        "metadata": {"reference": reference, "key": key},
    }
    return _transfer(
        _ask(lambda client: client.v1.transfers.create(wish, {"idempotency_key": key}))
    )


def get_transfer(provider_id: str) -> MoneyMoved:
    """A transfer as the provider sees it now."""
    return _transfer(_ask(lambda client: client.v1.transfers.retrieve(provider_id)))


def transfers_of(reference: str) -> list[MoneyMoved]:
    """Every transfer made for one reference: more than one would be money paid twice."""
    found = _ask(
        lambda client: client.v1.transfers.list({"transfer_group": reference, "limit": 100})
    )
    return [_transfer(one) for one in found.data]


def find_transfer(reference: str, key: str) -> MoneyMoved | None:
    """The transfer that was asked for with this key, if there is one."""
    return next((one for one in transfers_of(reference) if one.metadata.get("key") == key), None)


def verify_event(body: bytes, signature: str) -> Event:
    """Read a webhook. Refuses with BadSignature unless the provider signed this body just now."""
    secret = config.current().webhook_secret
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
        read = json.loads(body)
        return Event(
            id=read["id"],
            kind=read["type"],
            object=read["data"]["object"],
            made_at=datetime.fromtimestamp(read["created"], UTC),
        )
    except (stripe.SignatureVerificationError, ValueError, TypeError, KeyError) as wrong:
        raise BadSignature() from wrong


def base_url() -> str:
    """Where the provider answers: nowhere real while one only pretends to be it."""
    settings = config.current()
    return PRETEND_URL if settings.provider == "pretend" else settings.provider_url


@lru_cache(maxsize=4)
def _client(key: str, address: str) -> StripeClient:
    return StripeClient(
        key,
        base_addresses={"api": address},
        max_network_retries=RETRIES,
        # Named outright: the library prefers another HTTP client where one is installed.
        http_client=RequestsClient(timeout=TIMEOUT),
    )


def _ask(call: Callable[[StripeClient], Answer]) -> Answer:
    """Make one call, never while a transaction waits for it, and sort its failures in two."""
    if in_transaction():
        raise RuntimeError("a transaction is open: prepare and commit, then call the provider")
    stripe.enable_telemetry = False
    try:
        return call(_client(config.current().payment_key, base_url()))
    except (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError) as no:
        if no.http_status == 409:  # the same key is being worked on this very moment
            raise ProviderDown(str(no.user_message or no)) from no
        raise ProviderRefused(no.code or no.error.type, no.user_message or str(no)) from no
    except (stripe.AuthenticationError, stripe.PermissionError) as no:
        # Our own keys are wrong. What was decided stays due until somebody has put them right.
        raise ProviderDown(f"the provider does not accept our key: {no.user_message}") from no
    except stripe.StripeError as unclear:
        reason = unclear.user_message or unclear.__class__.__name__
        raise ProviderDown(f"{unclear.http_status or 'no answer'}: {reason}"[:280]) from unclear


def _intent(found: Any) -> PaymentIntent:
    return PaymentIntent(
        provider_id=found.id,
        state=STATES.get(found.status, "pending"),
        amount_fen=found.amount,
        received_fen=found.amount_received,
        client_secret=found.client_secret or "",
        metadata=_plain(found.metadata),
    )


def _refund(found: Any) -> MoneyMoved:
    state = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
    return MoneyMoved(
        found.id, state.get(found.status, "pending"), found.amount, _plain(found.metadata)
    )


def _transfer(found: Any) -> MoneyMoved:
    state = "failed" if found.reversed else "succeeded"
    return MoneyMoved(found.id, state, found.amount, _plain(found.metadata))


def _plain(metadata: Any) -> dict[str, str]:
    return {} if metadata is None else dict(metadata.to_dict())
