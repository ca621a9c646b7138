"""The pretend provider is as strict as the real one, and fails when told to."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from canteen import config
from canteen.demo.provider import PretendProvider
from canteen.demo.provider_rules import ApiError


def ask(
    provider: PretendProvider, method: str, path: str, key: str | None = None, **form: Any
) -> requests.Response:
    """One request as the client library makes it."""
    headers = {"Authorization": f"Bearer {provider.payment_key}"}
    if key:
        headers["Idempotency-Key"] = key
    where = "params" if method == "GET" else "data"
    return requests.request(
        method, f"{provider.url}/v1/{path}", headers=headers, timeout=5, **{where: form}
    )


def intent(provider: PretendProvider, amount: int = 1000, **form: Any) -> str:
    made = ask(provider, "POST", "payment_intents", amount=amount, currency="cny", **form)
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_payment_walks_through_its_states(alone: PretendProvider) -> None:
    id = intent(alone)
    assert ask(alone, "GET", f"payment_intents/{id}").json()["status"] == "requires_payment_method"
    assert code(ask(alone, "POST", f"payment_intents/{id}/confirm")) == (
        400, "payment_intent_unexpected_state",
    )
    confirmed = ask(alone, "POST", f"payment_intents/{id}/confirm", payment_method="pm_wallet")
    assert confirmed.json()["status"] == "requires_action"
    alone.pay(id)
    assert ask(alone, "GET", f"payment_intents/{id}").json()["amount_received"] == 1000
    with pytest.raises(ApiError):
        alone.pay(id)


def test_no_more_is_captured_than_was_held_and_only_once(alone: PretendProvider) -> None:
    id = intent(alone, capture_method="manual")
    early = ask(alone, "POST", f"payment_intents/{id}/capture")
    assert code(early) == (400, "payment_intent_unexpected_state")
    alone.pay(id)
    assert alone.all("payment_intent")[0]["status"] == "requires_capture"
    too_much = ask(alone, "POST", f"payment_intents/{id}/capture", amount_to_capture=1001)
    assert code(too_much) == (400, "amount_too_large")
    taken = ask(alone, "POST", f"payment_intents/{id}/capture", amount_to_capture=700).json()
    assert (taken["status"], taken["amount_received"]) == ("succeeded", 700)
    twice = ask(alone, "POST", f"payment_intents/{id}/capture")
    assert code(twice) == (400, "payment_intent_unexpected_state")
    over = ask(alone, "POST", "refunds", payment_intent=id, amount=701)
    assert code(over) == (400, "amount_too_large")


def test_refunds_together_never_exceed_what_was_taken(alone: PretendProvider) -> None:
    id = intent(alone)
    before = ask(alone, "POST", "refunds", payment_intent=id, amount=1)
    assert code(before) == (400, "payment_intent_unexpected_state")
    opening = alone.balance()
    alone.pay(id)
    assert ask(alone, "POST", "refunds", payment_intent=id, amount=600).status_code == 200
    assert code(ask(alone, "POST", "refunds", payment_intent=id, amount=401))[0] == 400
    rest = ask(alone, "POST", "refunds", payment_intent=id)
    assert rest.json()["amount"] == 400
    assert code(ask(alone, "POST", "refunds", payment_intent=id)) == (
        400, "charge_already_refunded",
    )
    assert alone.balance() == opening
    alone.end_refund(rest.json()["id"], "failed")
    assert alone.balance() == (opening or 0) + 400
    assert ask(alone, "POST", "refunds", payment_intent=id, amount=400).status_code == 200


def test_a_paid_or_withdrawn_payment_cannot_be_withdrawn(alone: PretendProvider) -> None:
    paid, open_ = intent(alone), intent(alone)
    alone.pay(paid)
    assert code(ask(alone, "POST", f"payment_intents/{paid}/cancel"))[0] == 400
    assert ask(alone, "POST", f"payment_intents/{open_}/cancel").json()["status"] == "canceled"
    assert code(ask(alone, "POST", f"payment_intents/{open_}/cancel"))[0] == 400
    with pytest.raises(ApiError):
        alone.pay(open_)


def test_transfers_need_an_account_and_a_balance(alone: PretendProvider) -> None:
    send = {"currency": "cny", "transfer_group": "payout:1"}
    nobody = ask(alone, "POST", "transfers", amount=1, destination="acct_nobody", **send)
    assert code(nobody) == (400, "resource_missing")
    ours = ask(alone, "POST", "transfers", amount=1, destination="platform", **send)
    assert code(ours) == (400, "resource_missing")
    alone.top_up(500 - (alone.balance() or 0))
    too_much = ask(alone, "POST", "transfers", amount=501, destination="acct_a", **send)
    assert code(too_much) == (400, "balance_insufficient")
    made = ask(alone, "POST", "transfers", amount=500, destination="acct_a", **send).json()
    assert (alone.balance(), alone.balance("acct_a")) == (0, 500)
    listed = ask(alone, "GET", "transfers", transfer_group="payout:1").json()
    assert [one["id"] for one in listed["data"]] == [made["id"]]
    assert ask(alone, "GET", "transfers", transfer_group="payout:2").json()["data"] == []
    assert ask(alone, "GET", f"transfers/{made['id']}").json()["amount"] == 500


def test_a_key_repeats_its_answer_and_refuses_another_wish(alone: PretendProvider) -> None:
    wish = {"amount": 1000, "currency": "cny"}
    first = ask(alone, "POST", "payment_intents", "key-1", **wish)
    again = ask(alone, "POST", "payment_intents", "key-1", **wish)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    other = ask(alone, "POST", "payment_intents", "key-1", **wish | {"amount": 1001})
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    elsewhere = ask(alone, "POST", "refunds", "key-1", **wish)
    assert elsewhere.json()["error"]["type"] == "idempotency_error"
    assert len(alone.all("payment_intent")) == 1


def test_a_key_repeats_a_refusal_that_had_begun_but_not_a_slip(alone: PretendProvider) -> None:
    alone.top_up(-(alone.balance() or 0))
    wish = {"amount": 500, "currency": "cny", "destination": "acct_a"}
    assert code(ask(alone, "POST", "transfers", "key-1", **wish))[1] == "balance_insufficient"
    slip = wish | {"amount": "many"}
    assert code(ask(alone, "POST", "transfers", "key-2", **slip))[1] == "parameter_invalid_integer"
    alone.top_up(1000)
    assert code(ask(alone, "POST", "transfers", "key-1", **wish))[1] == "balance_insufficient"
    assert ask(alone, "POST", "transfers", "key-2", **wish).status_code == 200


def test_twenty_requests_with_one_key_at_one_instant_do_it_once(
    settings: config.Settings, tmp_path: Path
) -> None:
    with PretendProvider(tmp_path / "provider.db") as provider:
        provider.open_accounts("acct_a")
        gate = threading.Barrier(20)

        def send(_: int) -> int:
            gate.wait()
            wish = {"amount": 500, "currency": "cny", "destination": "acct_a"}
            return ask(provider, "POST", "transfers", "one-key", **wish).status_code

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(send, range(20)))
        assert set(answers) <= {200, 409} and 200 in answers
        assert provider.balance("acct_a") == 500


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"amount": "0"}, "parameter_invalid_integer"),
        ({"amount": "-5"}, "parameter_invalid_integer"),
        ({"amount": "12.50"}, "parameter_invalid_integer"),
        ({"amount": "100000000"}, "amount_too_large"),
        ({}, "parameter_invalid_integer"),
        ({"amount": "5", "currency": "usd"}, "parameter_invalid_string"),
        ({"amount": "5", "colour": "jade"}, "parameter_unknown"),
    ],
)
def test_a_malformed_wish_is_refused(
    alone: PretendProvider, form: dict[str, str], expected: str
) -> None:
    answer = ask(alone, "POST", "payment_intents", **{"currency": "cny", **form})
    assert code(answer) == (400, expected)
    assert alone.all("payment_intent") == []


def test_strangers_and_unknown_things_are_turned_away(alone: PretendProvider) -> None:
    stranger = requests.get(
        f"{alone.url}/v1/balance", headers={"Authorization": "Bearer other"}, timeout=5
    )
    assert stranger.status_code == 401
    assert code(ask(alone, "GET", "payment_intents/pi_nothing")) == (404, "resource_missing")
    assert ask(alone, "GET", "everything").status_code == 404


def test_planned_faults_happen_once_each(alone: PretendProvider) -> None:
    wish = {"amount": 1000, "currency": "cny"}
    for name, status in {"500": 500, "429": 429, "in_progress": 409, "declined": 402}.items():
        alone.fail_next(name)
        assert ask(alone, "POST", "payment_intents", f"key-{name}", **wish).status_code == status
    alone.fail_next("timeout")
    with pytest.raises(requests.Timeout):
        ask(alone, "POST", "payment_intents", "key-t", **wish)
    assert alone.all("payment_intent") == []
    alone.fail_next("after_commit", path="/v1/payment_intents")
    assert ask(alone, "GET", "balance").status_code == 200
    with pytest.raises(requests.ConnectionError):
        ask(alone, "POST", "payment_intents", "key-c", **wish)
    assert len(alone.all("payment_intent")) == 1
    again = ask(alone, "POST", "payment_intents", "key-c", **wish)
    assert again.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(ValueError, match="none of"):
        alone.fail_next("earthquake")


def test_events_wait_until_they_are_taken_in_order(alone: PretendProvider) -> None:
    id = intent(alone)
    alone.fail_next("lost_webhook", path="payment_intent.succeeded")
    alone.pay(id)
    alone.fail_next("duplicate_webhook", path="refund")
    ask(alone, "POST", "refunds", payment_intent=id)
    waiting = alone.events_to_deliver()
    assert [one.body.split(b'"type": "')[1].split(b'"')[0] for one in waiting] == [
        b"payment_intent.created", b"refund.created",
    ]
    for one in waiting:
        alone.delivered(one.event_id)
    assert [one.event_id for one in alone.events_to_deliver()] == [waiting[1].event_id]


def test_two_openings_of_one_file_are_one_provider(
    settings: config.Settings, tmp_path: Path
) -> None:
    first, second = (PretendProvider(tmp_path / "provider.db") for _ in range(2))
    with first:
        id = intent(first)
    second.pay(id)
    assert first.all("payment_intent")[0]["status"] == "succeeded"
    assert len(first.events_to_deliver()) == 2


def test_everything_else_passes_through(alone: PretendProvider) -> None:
    with pytest.raises(requests.ConnectionError, match=r"refused|Failed to establish"):
        requests.get("http://127.0.0.1:9/", timeout=2)
