"""A tablet as the server sees one: it numbers, chains and signs what it does, and sends it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from canteen import clock
from canteen.db import db, transaction
from canteen.tills import keys
from canteen.tills.models import Till
from tests.factories import LONG_AGO, City

SHOWN = {  # of 1,500 fen: the elder's 10 % and 3 yuan, or nothing for anybody else
    "elder": {"list_fen": 1500, "discount_fen": 150, "subsidy_fen": 300, "payable_fen": 1050},
    "full": {"list_fen": 1500, "discount_fen": 150, "subsidy_fen": 0, "payable_fen": 1350},
    "other": {"list_fen": 1500, "discount_fen": 0, "subsidy_fen": 0, "payable_fen": 1500},
}


def iso(at: datetime) -> str:
    """An instant as a tablet writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Tablet:
    """One enrolled tablet of a canteen with its journal; `clock_ms` is how fast its clock is."""

    def __init__(
        self, city: City, client: FlaskClient, name: str = "一号机", *, elsewhere: bool = False
    ) -> None:
        self.city, self.client, self.clock_ms = city, client, 0
        self.canteen = city.elsewhere if elsewhere else city.here
        self.cashier = (city.cashier_elsewhere if elsewhere else city.cashier).user_id
        self.items = city.items_elsewhere if elsewhere else city.items
        with transaction():
            till = Till(
                canteen_id=self.canteen.id, name=name, salt=uuid.uuid4().hex,
                enrolled_at=LONG_AGO, enrolled_by="user:1",
            )
            db.session.add(till)
        self.id, self.key = till.id, keys.key_of(till)
        self.number, self.mac, self.shift = 0, "", 1
        self.made: list[dict[str, Any]] = []

    def entry(self, kind: str, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
        """Make the next entry of the journal: numbered, chained, signed; not sent."""
        moment = (at or clock.now()) + timedelta(milliseconds=self.clock_ms)
        body = {
            "v": 1, "kind": kind, "at": iso(moment), "off": -self.clock_ms if self.clock_ms
            else None, "shift": self.shift, "cashier": self.cashier,
        } | fields
        return self.sign(json.dumps(body, ensure_ascii=False))

    def sign(self, body: str) -> dict[str, Any]:
        """Number and sign any text as the next entry."""
        self.number += 1
        self.mac = keys.mac(self.key, self.mac, self.number, body)
        self.made.append({"number": self.number, "body": body, "mac": self.mac})
        return self.made[-1]

    def open(self, at: datetime | None = None, float_fen: int = 20_000) -> dict[str, Any]:
        """Begin a shift."""
        return self.entry("open", at, float_fen=float_fen)

    def sale(
        self, shown: str = "elder", at: datetime | None = None, *, on: Any = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Sell the set of today's lunch, at what the till showed (see SHOWN)."""
        parts = SHOWN[shown]
        body = {
            "id": str(uuid.uuid4()), "on": str(on or self.city.today), "meal": "lunch",
            "service": "eat_in", "payment": "cash", "cash_fen": parts["payable_fen"],
            "received_fen": None, "elder": None if shown == "other" else self.city.elder.id,
            "card": None, "how": "card", "lines": [[self.items[0].id, 1, 1500]],
            "to_account": False, "priced": "till", "overrode": [],
        } | parts
        return self.entry("sale", at, **(body | fields))

    def send(
        self, entries: Iterable[dict[str, Any]] | None = None, *, live: bool = False,
        **changes: Any,
    ) -> TestResponse:
        """Send entries, by default all that were ever made."""
        now = clock.now() + timedelta(milliseconds=self.clock_ms)
        body = {
            "till": self.id, "now": iso(now), "last": self.number, "live": live,
            "entries": list(self.made if entries is None else entries),
        }
        return self.client.post("/till/journal", json=body | changes)

    def sent(self, *entries: dict[str, Any], live: bool = False) -> dict[str, Any]:
        """Send entries that are taken; what became of the last."""
        answer = self.send(entries or None, live=live)
        assert answer.status_code == 200, answer.text
        return answer.get_json()["outcomes"][-1]
