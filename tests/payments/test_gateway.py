"""The gateway speaks the provider's language and sorts its failures in two."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
import time_machine

from canteen import clock, config
from canteen.db import transaction
from canteen.demo.provider import PretendProvider
from canteen.payments import gateway
from canteen.payments.gateway import BadSignature, ProviderDown, ProviderRefused


def test_a_payment_is_created_found_withdrawn_and_refunded(alone: PretendProvider) -> None:
    made = gateway.create_charge(1500, "charge:1", "key-1")
    assert (made.state, made.amount_fen, made.received_fen) == ("pending", 1500, 0)
    assert made.metadata == {"reference": "charge:1", "key": "key-1"}
    assert gateway.create_charge(1500, "charge:1", "key-1") == made
    alone.pay(made.provider_id)
    assert gateway.get_charge(made.provider_id).state == "succeeded"
    back = gateway.refund(made.provider_id, 500, "refund:1", "key-2")
    assert (back.state, back.amount_fen) == ("succeeded", 500)
    assert gateway.find_refund(made.provider_id, "key-2") == back
    assert gateway.find_refund(made.provider_id, "key-3") is None
    other = gateway.create_charge(700, "charge:2", "key-4")
    assert gateway.cancel_charge(other.provider_id, "key-5").state == "cancelled"


def test_the_client_secret_is_never_shown_by_accident(alone: PretendProvider) -> None:
    made = gateway.create_charge(1500, "charge:1", "key-1")
    assert made.client_secret and made.client_secret not in repr(made)


def test_a_transfer_is_found_by_what_it_is_for(alone: PretendProvider) -> None:
    sent = gateway.transfer("acct_a", 800, "payout:7", "key-1")
    assert gateway.transfers_of("payout:7") == [sent]
    assert gateway.find_transfer("payout:7", "key-1") == sent
    assert gateway.find_transfer("payout:7", "key-2") is None
    alone.reverse(sent.provider_id)
    assert gateway.get_transfer(sent.provider_id).state == "failed"


@pytest.mark.parametrize("fault", ["timeout", "500", "after_commit", "in_progress"])
def test_a_passing_fault_is_got_over_by_trying_again(alone: PretendProvider, fault: str) -> None:
    alone.fail_next(fault, times=2)
    gateway.transfer("acct_a", 800, "payout:7", "key-1")
    assert alone.balance("acct_a") == 800


@pytest.mark.parametrize(
    ("fault", "done"),
    [("timeout", 0), ("500", 0), ("in_progress", 0), ("429", 0), ("after_commit", 800)],
)
def test_a_lasting_fault_is_down_and_says_nothing_of_the_work(
    alone: PretendProvider, fault: str, done: int
) -> None:
    alone.fail_next(fault, times=3)
    with pytest.raises(ProviderDown):
        gateway.transfer("acct_a", 800, "payout:7", "key-1")
    assert alone.balance("acct_a") == done


def test_a_refusal_is_final_and_names_the_reason(alone: PretendProvider) -> None:
    with pytest.raises(ProviderRefused) as refused:
        gateway.transfer("acct_nobody", 800, "payout:7", "key-1")
    assert refused.value.provider_code == "resource_missing"
    assert "acct_nobody" in refused.value.text.zh
    gateway.transfer("acct_a", 800, "payout:7", "key-2")
    with pytest.raises(ProviderRefused, match="same parameters"):
        gateway.transfer("acct_a", 801, "payout:7", "key-2")
    alone.fail_next("declined")
    with pytest.raises(ProviderRefused) as refused:
        gateway.create_charge(1500, "charge:1", "key-3")
    assert refused.value.provider_code == "card_declined"


def test_a_wrong_key_of_our_own_is_not_the_payee_s_fault(
    alone: PretendProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "payment_key", "another")
    with pytest.raises(ProviderDown, match="our key"):
        gateway.transfer("acct_a", 800, "payout:7", "key-1")


def test_the_provider_is_never_called_inside_a_transaction(provider: PretendProvider) -> None:
    with pytest.raises(RuntimeError, match="transaction is open"), transaction():
        gateway.transfer("acct_a", 800, "payout:7", "key-1")
    assert provider.balance("acct_a") == 0


def signed(body: bytes, secret: str, at: int) -> str:
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


BODY = json.dumps(
    {"id": "evt_1", "type": "transfer.created", "created": 1, "data": {"object": {"id": "tr_1"}}}
).encode()


def test_a_signed_notice_is_read(settings: config.Settings) -> None:
    at = int(clock.now().timestamp())
    event = gateway.verify_event(BODY, signed(BODY, settings.webhook_secret, at))
    assert (event.id, event.kind, event.object) == ("evt_1", "transfer.created", {"id": "tr_1"})


def test_the_pretend_provider_signs_as_the_real_one_does(alone: PretendProvider) -> None:
    gateway.transfer("acct_a", 800, "payout:7", "key-1")
    (notice,) = alone.events_to_deliver()
    assert gateway.verify_event(notice.body, notice.signature).object["amount"] == 800


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body, secret, at: (body + b" ", signed(body, secret, at)),
        lambda body, secret, at: (body, signed(body, "00" * 32, at)),
        lambda body, secret, at: (body, signed(body, secret, at).replace("v1=", "v0=")),
        lambda body, secret, at: (body, f"t={at}"),
        lambda body, secret, at: (body, ""),
        lambda body, secret, at: (body, "t=soon,v1=zz"),
        lambda body, secret, at: (body, f"t={at},v1=签名"),
        lambda body, secret, at: (b"\xff\xfe", signed(b"\xff\xfe", secret, at)),
        lambda body, secret, at: (b"{", signed(b"{", secret, at)),
        lambda body, secret, at: (b"[]", signed(b"[]", secret, at)),
        lambda body, secret, at: (b'{"id": "evt_1"}', signed(b'{"id": "evt_1"}', secret, at)),
        lambda body, secret, at: (body, signed(body, secret, at - 301)),
    ],
    ids=["altered body", "other secret", "other scheme", "no signature", "empty", "not a time",
         "not ascii", "not text", "not JSON", "not an object", "no event", "too old"],
)  # fmt: skip
def test_a_notice_that_is_not_genuine_is_refused(settings: config.Settings, spoil) -> None:
    at = int(clock.now().timestamp())
    with pytest.raises(BadSignature):
        gateway.verify_event(*spoil(BODY, settings.webhook_secret, at))


def test_a_notice_is_good_for_300_seconds(settings: config.Settings) -> None:
    with time_machine.travel("2026-11-20T04:00:00Z", tick=False) as traveller:
        signature = signed(BODY, settings.webhook_secret, int(clock.now().timestamp()))
        traveller.shift(300)
        assert gateway.verify_event(BODY, signature).id == "evt_1"
        traveller.shift(1)
        with pytest.raises(BadSignature):
            gateway.verify_event(BODY, signature)
