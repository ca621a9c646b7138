"""A payment provider that only pretends: no money, no network, but the real one's rules and faults.

It answers the requests of the provider's own client library inside this process (`responses`
catches them before they reach the network) and keeps everything in one file that several processes
share, so that the demo's web server and timetable see the same provider. Tests plan its faults.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import responses

from canteen import config
from canteen.demo import provider_rules as rules
from canteen.demo.provider_notices import PATH as NOTICES
from canteen.demo.provider_rules import ApiError
from canteen.demo.provider_state import State, nested, now, signed
from canteen.payments import gateway

OPENING_FEN = 100_000_000_00  # what the funders have paid in before the first payout
BEFORE = ("timeout", "500", "429", "declined", "in_progress", "hang_before")
AFTER = ("after_commit", "hang_after")
EVENTS = ("lost_webhook", "duplicate_webhook")
FAULTS = (*BEFORE, *AFTER, *EVENTS, "pending_refund")
STUCK_SECONDS = 5  # a key whose request died on the way is free again after this
HANG_SECONDS = 60
Answer = tuple[int, dict[str, str], str]
Sink = Callable[[bytes, str], object]


@dataclass(frozen=True)
class Delivery:
    """A webhook as it would be posted to us now: the raw body and its signature header."""

    event_id: str
    body: bytes
    signature: str


class PretendProvider:
    """The provider of one demo or test; `path` is its file, or ":memory:".

    `sink(body, signature)`, when given, gets every webhook the moment its cause is saved, which may
    be before the caller has its answer; otherwise they wait in `events_to_deliver`. Use it as
    `with PretendProvider(...)`, or `activate()` it for the life of the process.
    """

    def __init__(
        self, path: str | Path = ":memory:", sink: Sink | None = None, *,
        url: str | None = None, payment_key: str | None = None, webhook_secret: str | None = None,
        balance_fen: int = OPENING_FEN,
    ) -> None:
        self.url = (url or gateway.base_url()).rstrip("/")
        self.payment_key = payment_key or config.current().payment_key
        self.webhook_secret = webhook_secret or config.current().webhook_secret
        self.sink = sink
        self.state = State(path, balance_fen)
        self._mock = responses.RequestsMock(assert_all_requests_are_fired=False)

    def activate(self) -> PretendProvider:
        """Answer for the provider in this process from now on; everything else passes through."""
        for method in ("GET", "POST", "DELETE"):
            pattern = re.compile(re.escape(self.url) + "/.*")
            self._mock.add_callback(method, pattern, self._on, content_type="application/json")
        for scheme in ("http://", "https://"):
            self._mock.add_passthru(scheme)
        self._mock.start()
        return self

    def deactivate(self) -> None:
        """Stop answering."""
        self._mock.stop()
        self._mock.reset()

    def __enter__(self) -> PretendProvider:
        return self.activate()

    def __exit__(self, *_: object) -> None:
        self.deactivate()

    # ── what the people around the provider do ──

    def open_accounts(self, *accounts: str) -> None:
        """Connect the accounts of payees: money can be sent to no other."""
        with self.state.book() as book:
            book.sql.executemany(
                "INSERT INTO accounts VALUES (?, 0) ON CONFLICT DO NOTHING",
                [(account,) for account in accounts],
            )

    def top_up(self, fen: int) -> None:
        """The funders pay fen into our balance."""
        with self.state.book() as book:
            book.move(fen)

    def pay(self, intent_id: str) -> dict[str, Any]:
        """The diner agrees on their phone; ApiError when there is nothing to pay any more."""
        with self.state.book() as book:
            if book.take_fault(("declined",), "phone"):
                intent = rules.declined(book, intent_id)
            else:
                intent = rules.paid(book, intent_id)
        self._tell()
        return intent

    def end_refund(self, refund_id: str, status: str) -> dict[str, Any]:
        """A refund ends as "succeeded" or "failed"."""
        with self.state.book() as book:
            refund = rules.end_refund(book, refund_id, status)
        self._tell()
        return refund

    def reverse(self, transfer_id: str) -> dict[str, Any]:
        """All of a transfer comes back."""
        with self.state.book() as book:
            transfer = rules.reverse_transfer(book, transfer_id)
        self._tell()
        return transfer

    # ── what tests and the demo look at and plan ──

    def fail_next(self, name: str, times: int = 1, path: str = "") -> None:
        """Let the next `times` requests whose path holds `path` go wrong as one of FAULTS.

        "timeout": no answer, nothing done · "after_commit": done, then the connection drops ·
        "hang_before", "hang_after": silence for a minute before or after the work · "declined":
        402, or (with path "phone") the diner's next `pay` · "in_progress": 409 · "500", "429" ·
        "lost_webhook", "duplicate_webhook" (`path` is the event's kind) · "pending_refund".
        """
        if name not in FAULTS:
            raise ValueError(f"{name} is none of {', '.join(FAULTS)}")
        with self.state.book() as book:
            for _ in range(times):
                book.plan_fault(name, path)

    def planned(self) -> int:
        """How many of the faults asked for are still to happen."""
        with self.state.book() as book:
            return book.planned_faults()

    def all(self, kind: str, **same: Any) -> list[dict[str, Any]]:
        """Every "payment_intent", "refund" or "transfer" with these values, newest first."""
        with self.state.book() as book:
            return book.all(kind, **same)

    def balance(self, account: str = "platform") -> int | None:
        """The balance of ours or of a connected account, in fen."""
        with self.state.book() as book:
            return book.balance(account)

    def events_to_deliver(self, limit: int = 100) -> list[Delivery]:
        """The oldest webhooks nobody has answered yet, signed this second."""
        with self.state.book() as book:
            rows = book.sql.execute(
                "SELECT id, body FROM events WHERE left > 0 ORDER BY number LIMIT ?", (limit,)
            ).fetchall()
        return [Delivery(id, body.encode(), signed(body, self.webhook_secret)) for id, body in rows]

    def delivered(self, event_id: str) -> None:
        """A webhook was answered; without this it is sent again."""
        with self.state.book() as book:
            book.sql.execute(
                "UPDATE events SET left = left - 1 WHERE id = ? AND left > 0", (event_id,)
            )

    def _tell(self) -> None:
        while self.sink and (waiting := self.events_to_deliver()):
            for delivery in waiting:
                self.sink(delivery.body, delivery.signature)
                self.delivered(delivery.event_id)

    # ── the HTTP side ──

    def _on(self, request: Any) -> Answer:
        """Answer one request of the client library."""
        self._mock.calls.reset()  # it would keep every request of the process's life
        for registered in self._mock.registered():
            registered.calls.reset()
        address = urlsplit(request.url)
        given = address.query if request.method == "GET" else request.body or ""
        given = given.decode() if isinstance(given, bytes) else given
        params = json.loads(given) if address.path == NOTICES else nested(given)
        headers = {"Request-Id": f"req_{threading.get_ident():x}{now():x}"}
        try:
            with self.state.book() as book:
                fault = book.take_fault(BEFORE, address.path)
            self._go_wrong_before(fault, request)
            status, body, replayed = self._answer(request, address.path, params)
        except ApiError as error:
            return error.status, headers, json.dumps(error.body)
        with self.state.book() as book:
            fault = book.take_fault(AFTER, address.path)
        if fault == "after_commit":
            raise requests.exceptions.ConnectionError("the connection was dropped")
        if fault == "hang_after":
            threading.Event().wait(HANG_SECONDS)
        self._tell()
        return status, headers | ({"Idempotent-Replayed": "true"} if replayed else {}), body

    def _go_wrong_before(self, fault: str | None, request: Any) -> None:
        known = request.headers.get("Authorization") == f"Bearer {self.payment_key}"
        if not known and urlsplit(request.url).path != NOTICES:  # messages have a key of their own
            raise ApiError("Invalid API Key provided", status=401)
        if fault == "timeout":
            raise requests.exceptions.ReadTimeout("no answer")
        if fault == "hang_before":
            threading.Event().wait(HANG_SECONDS)
        if fault == "500":
            raise ApiError("Something went wrong on our side", status=500, type="api_error")
        if fault == "429":
            raise ApiError("Too many requests", "rate_limit", status=429)
        if fault == "declined":
            no = "Your card was declined."
            raise ApiError(no, "card_declined", status=402, type="card_error")
        if fault == "in_progress":
            raise _key_error("running")

    def _answer(self, request: Any, path: str, params: dict[str, Any]) -> tuple[int, str, bool]:
        """Do the work, or repeat what was answered to this key: status, body, whether repeated."""
        act, ids = rules.route(request.method, path)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key is None:
            with self.state.book() as book:
                return 200, json.dumps(act(book, params, *ids)), False
        digest = hashlib.sha256(json.dumps([path, params], sort_keys=True).encode()).hexdigest()
        with self.state.book() as book:
            known = book.begin_key(key, digest, STUCK_SECONDS)
        if known in ("other", "running"):
            raise _key_error(str(known))
        if known:
            return int(known[0]), known[1], True
        try:
            with self.state.book() as book:
                status, body = 200, json.dumps(act(book, params, *ids))
                book.end_key(key, status, body)
        except ApiError as error:
            with self.state.book() as book:
                if error.kept:
                    book.end_key(key, error.status, json.dumps(error.body))
                else:  # not even begun: the key may be used again
                    book.forget_key(key)
            raise
        return status, body, False


def _key_error(why: str) -> ApiError:
    if why == "other":
        return ApiError("Keys for idempotent requests can only be used with the same parameters"
                        " they were first used with.", type="idempotency_error")  # fmt: skip
    return ApiError("There is currently another in-progress request using this Idempotent Key.",
                    "idempotency_key_in_use", status=409, type="idempotency_error")  # fmt: skip


_installed: PretendProvider | None = None


def install(settings: config.Settings) -> PretendProvider | None:
    """Pretend for the life of this process when the settings say so; None when they do not.

    Tests bring a provider of their own.
    """
    global _installed
    if settings.provider != "pretend" or settings.testing:
        return None
    path = settings.instance / "provider.db"
    if _installed is None or _installed.state.path != str(path):
        if _installed:
            _installed.deactivate()
        _installed = PretendProvider(path).activate()
    return _installed


def current() -> PretendProvider | None:
    """The provider that pretends in this process, if one does."""
    return _installed


@contextmanager
def pretending(*arguments: Any, **options: Any) -> Iterator[PretendProvider]:
    """A provider for the length of a block; the one `current` gives meanwhile."""
    global _installed
    before, _installed = _installed, PretendProvider(*arguments, **options)
    try:
        with _installed as provider:
            yield provider
    finally:
        _installed = before
