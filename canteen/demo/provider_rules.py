"""What the pretend provider allows: payments, refunds and transfers, as strict as the real one.

Every act takes the open book and the request's parameters and gives the object the provider would
answer with, or raises ApiError.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from canteen.demo.provider_state import PLATFORM, Book, new_id, now

MOST_FEN = 99_999_999
UNPAID = ("requires_payment_method", "requires_confirmation", "requires_action")
Params = dict[str, Any]
Act = Callable[..., dict[str, Any]]


class ApiError(Exception):
    """An error answer. `kept`: the work had begun, so the idempotency key repeats this answer."""

    def __init__(
        self, message: str, code: str | None = None, *, status: int = 400, param: str | None = None,
        type: str = "invalid_request_error", kept: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.kept = status, kept
        self.body = {
            "error": {"type": type, "code": code, "message": message, "param": param}
        }


def create_intent(book: Book, params: Params) -> dict[str, Any]:
    """POST /v1/payment_intents: ask for money."""
    allow(params, "amount currency payment_method_types capture_method confirm description"
          " payment_method payment_method_data return_url metadata")  # fmt: skip
    amount = amount_of(params, "amount")
    currency_of(params)
    capture = params.get("capture_method", "automatic")
    if capture not in ("automatic", "manual"):
        raise ApiError("Invalid capture_method", "parameter_invalid_string", param="capture_method")
    chosen = params.get("payment_method") or params.get("payment_method_data")
    id = new_id("pi")
    intent = {
        "id": id, "object": "payment_intent", "amount": amount, "amount_received": 0,
        "amount_capturable": 0, "currency": "cny", "created": now(), "livemode": False,
        "status": "requires_confirmation" if chosen else "requires_payment_method",
        "client_secret": f"{id}_secret_{new_id('x')[2:]}", "capture_method": capture,
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "metadata": params.get("metadata", {}), "canceled_at": None, "last_payment_error": None,
    }
    book.save(intent)
    book.emit("payment_intent.created", intent)
    return confirm_intent(book, {}, id) if params.get("confirm") == "true" else intent


def get_intent(book: Book, params: Params, id: str) -> dict[str, Any]:
    """GET /v1/payment_intents/:id."""
    return found(book, "payment_intent", id)


def confirm_intent(book: Book, params: Params, id: str) -> dict[str, Any]:
    """POST …/confirm: a chosen way to pay is tried; wallets then wait for the diner's phone."""
    allow(params, "payment_method payment_method_data return_url")
    intent = in_state(found(book, "payment_intent", id), *UNPAID[:2], act="confirm")
    chosen = params.get("payment_method") or params.get("payment_method_data")
    if intent["status"] == "requires_payment_method" and not chosen:
        raise ApiError("You cannot confirm this PaymentIntent because it's missing a payment"
                       " method.", "payment_intent_unexpected_state")  # fmt: skip
    intent["status"] = "requires_action"
    book.save(intent)
    book.emit("payment_intent.requires_action", intent)
    return intent


def paid(book: Book, id: str) -> dict[str, Any]:
    """The diner agreed on their phone: the money is taken, or held until it is captured."""
    intent = in_state(found(book, "payment_intent", id), *UNPAID, act="pay")
    intent["last_payment_error"] = None
    if intent["capture_method"] == "manual":
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        book.save(intent)
        book.emit("payment_intent.amount_capturable_updated", intent)
        return intent
    return _take(book, intent, intent["amount"])


def declined(book: Book, id: str) -> dict[str, Any]:
    """The diner's bank said no: they may try again with another way to pay."""
    intent = in_state(found(book, "payment_intent", id), *UNPAID, act="pay")
    error = {"type": "card_error", "code": "card_declined", "message": "Your card was declined."}
    intent |= {"status": "requires_payment_method", "last_payment_error": error}
    book.save(intent)
    book.emit("payment_intent.payment_failed", intent)
    return intent


def capture_intent(book: Book, params: Params, id: str) -> dict[str, Any]:
    """POST …/capture: take what was held, or less; what is not taken is let go."""
    allow(params, "amount_to_capture")
    intent = in_state(found(book, "payment_intent", id), "requires_capture", act="capture")
    amount = amount_of(params, "amount_to_capture") if params else intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise ApiError("The amount to capture is greater than the amount you can capture.",
                       "amount_too_large", param="amount_to_capture", kept=True)  # fmt: skip
    return _take(book, intent, amount)


def cancel_intent(book: Book, params: Params, id: str) -> dict[str, Any]:
    """POST …/cancel: as long as nothing was taken."""
    allow(params, "cancellation_reason")
    intent = found(book, "payment_intent", id)
    in_state(intent, *UNPAID, "requires_capture", act="cancel")
    intent |= {"status": "canceled", "canceled_at": now(), "amount_capturable": 0}
    book.save(intent)
    book.emit("payment_intent.canceled", intent)
    return intent


def create_refund(book: Book, params: Params) -> dict[str, Any]:
    """POST /v1/refunds: never more in all than was taken."""
    allow(params, "payment_intent amount reason metadata")
    intent = found(book, "payment_intent", params.get("payment_intent", ""), "payment_intent")
    if intent["status"] != "succeeded":
        raise ApiError("This PaymentIntent does not have a successful charge to refund.",
                       "payment_intent_unexpected_state", kept=True)  # fmt: skip
    before = book.all("refund", payment_intent=intent["id"])
    left = intent["amount_received"] - sum(
        one["amount"] for one in before if one["status"] in ("succeeded", "pending")
    )
    amount = amount_of(params, "amount") if "amount" in params else left
    if left == 0:
        raise ApiError("Charge has already been refunded.", "charge_already_refunded", kept=True)
    if amount > left:
        raise ApiError(f"Refund amount ({amount}) is greater than unrefunded amount on charge"
                       f" ({left})", "amount_too_large", param="amount", kept=True)  # fmt: skip
    late = book.take_fault(("pending_refund",), "/v1/refunds")
    refund = {
        "id": new_id("re"), "object": "refund", "amount": amount, "currency": "cny",
        "created": now(), "payment_intent": intent["id"], "metadata": params.get("metadata", {}),
        "reason": params.get("reason"), "status": "pending" if late else "succeeded",
    }
    book.save(refund)
    book.move(-amount)
    book.emit("refund.created", refund)
    return refund


def end_refund(book: Book, id: str, status: str) -> dict[str, Any]:
    """A refund that was pending arrives, or one comes back because it could not be delivered."""
    refund = found(book, "refund", id)
    if refund["status"] == "failed":
        raise ApiError("This refund has already failed.")
    refund["status"] = status
    book.save(refund)
    if status == "failed":
        book.move(refund["amount"])
    book.emit("refund.failed" if status == "failed" else "refund.updated", refund)
    return refund


def create_transfer(book: Book, params: Params) -> dict[str, Any]:
    """POST /v1/transfers: to an account that exists, out of a balance that suffices."""
    allow(params, "amount currency destination transfer_group description metadata")
    amount = amount_of(params, "amount")
    currency_of(params)
    account = params.get("destination", "")
    if account == PLATFORM or book.balance(account) is None:
        raise ApiError(f"No such destination: '{account}'", "resource_missing", param="destination")
    if amount > (book.balance() or 0):
        raise ApiError("You have insufficient available funds in your account.",
                       "balance_insufficient", kept=True)  # fmt: skip
    transfer = {
        "id": new_id("tr"), "object": "transfer", "amount": amount, "amount_reversed": 0,
        "currency": "cny", "created": now(), "destination": account, "reversed": False,
        "transfer_group": params.get("transfer_group"), "metadata": params.get("metadata", {}),
    }
    book.save(transfer)
    book.move(-amount)
    book.move(amount, account)
    book.emit("transfer.created", transfer)
    return transfer


def reverse_transfer(book: Book, id: str) -> dict[str, Any]:
    """All of a transfer comes back: the account was closed."""
    transfer = found(book, "transfer", id)
    if transfer["reversed"]:
        raise ApiError("This transfer has already been reversed.")
    transfer |= {"reversed": True, "amount_reversed": transfer["amount"]}
    book.save(transfer)
    book.move(transfer["amount"])
    book.move(-transfer["amount"], transfer["destination"])
    book.emit("transfer.reversed", transfer)
    return transfer


def get_balance(book: Book, params: Params) -> dict[str, Any]:
    """GET /v1/balance: what can be paid out now."""
    available = [{"amount": book.balance(), "currency": "cny"}]
    return {"object": "balance", "available": available, "livemode": False}


def listing(kind: str, *filters: str) -> Act:
    """GET of a list: newest first, filtered, a page at a time."""

    def act(book: Book, params: Params) -> dict[str, Any]:
        allow(params, " ".join(("limit", "starting_after", *filters)))
        rows = book.all(kind, **{name: params[name] for name in filters if name in params})
        if "starting_after" in params:
            ids = [one["id"] for one in rows]
            found(book, kind, params["starting_after"], "starting_after")
            rows = rows[ids.index(params["starting_after"]) + 1 :]
        limit = min(int(params.get("limit", 10)), 100)
        more = len(rows) > limit
        return {"object": "list", "data": rows[:limit], "has_more": more, "url": f"/v1/{kind}s"}

    return act


def getting(kind: str) -> Act:
    """GET of one object by its id."""
    return lambda book, params, id: found(book, kind, id)


ROUTES: list[tuple[str, str, Act]] = [
    ("POST", r"/v1/payment_intents", create_intent),
    ("GET", r"/v1/payment_intents", listing("payment_intent")),
    ("GET", r"/v1/payment_intents/(\w+)", get_intent),
    ("POST", r"/v1/payment_intents/(\w+)/confirm", confirm_intent),
    ("POST", r"/v1/payment_intents/(\w+)/capture", capture_intent),
    ("POST", r"/v1/payment_intents/(\w+)/cancel", cancel_intent),
    ("POST", r"/v1/refunds", create_refund),
    ("GET", r"/v1/refunds", listing("refund", "payment_intent")),
    ("GET", r"/v1/refunds/(\w+)", getting("refund")),
    ("POST", r"/v1/transfers", create_transfer),
    ("GET", r"/v1/transfers", listing("transfer", "transfer_group", "destination")),
    ("GET", r"/v1/transfers/(\w+)", getting("transfer")),
    ("GET", r"/v1/balance", get_balance),
]


def route(method: str, path: str) -> tuple[Act, tuple[str, ...]]:
    """The act that a request asks for, and the ids in its path."""
    for wanted, pattern, act in ROUTES:
        if wanted == method and (match := re.fullmatch(pattern, path, re.ASCII)):
            return act, match.groups()
    raise ApiError(f"Unrecognized request URL ({method}: {path}).", status=404)


def allow(params: Params, names: str) -> None:
    """Refuse a parameter the provider does not know."""
    for name in params.keys() - set(names.split()):
        raise ApiError(f"Received unknown parameter: {name}", "parameter_unknown", param=name)


def amount_of(params: Params, name: str) -> int:
    """A whole number of fen between 1 and the most there may be."""
    given = str(params.get(name, ""))
    if not re.fullmatch(r"-?\d{1,12}", given, re.ASCII):
        raise ApiError(f"Invalid integer: {given}", "parameter_invalid_integer", param=name)
    if not 1 <= int(given) <= MOST_FEN:
        code = "amount_too_large" if int(given) > MOST_FEN else "parameter_invalid_integer"
        raise ApiError(f"{name} must be between 1 and {MOST_FEN}", code, param=name)
    return int(given)


def currency_of(params: Params) -> None:
    """Only Chinese yuan are taken here."""
    if params.get("currency") != "cny":
        raise ApiError("Invalid currency", "parameter_invalid_string", param="currency")


def found(book: Book, kind: str, id: str, param: str = "id") -> dict[str, Any]:
    """The object, or the provider's 404 (400 when another object's parameter names it)."""
    thing = book.get(kind, id)
    if thing is None:
        status = 404 if param == "id" else 400
        message = f"No such {kind}: '{id}'"
        raise ApiError(message, "resource_missing", status=status, param=param)
    return thing


def in_state(intent: dict[str, Any], *states: str, act: str) -> dict[str, Any]:
    """The payment, if it is in one of the states in which this can be done."""
    if intent["status"] not in states:
        raise ApiError(f"You cannot {act} this PaymentIntent because it has a status of"
                       f" {intent['status']}.", "payment_intent_unexpected_state",
                       kept=True)  # fmt: skip
    return intent


def _take(book: Book, intent: dict[str, Any], amount: int) -> dict[str, Any]:
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    book.save(intent)
    book.move(amount)
    book.emit("payment_intent.succeeded", intent)
    return intent
