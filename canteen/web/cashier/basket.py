"""What a till's form holds between two taps: the whole state of a sale, in the page itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from werkzeug.datastructures import MultiDict

from canteen.canteens.models import MEALS
from canteen.money import BadAmount, parse_yuan, yuan
from canteen.orders.wishing import MOST_OF_A_DISH, Wish
from canteen.web.grounds import MOST
from canteen.web.once import FIELD, new_key

SERVICES = ("eat_in", "pick_up")
PREFIX = "item-"
ABSURD = 999  # more than anybody may order: kept, so that the sale refuses it in words


@dataclass(frozen=True)
class Basket:
    """One sale under way. Nothing of it is kept on the server, so any tablet can go on with it.

    `elder_id` is set for an identified elder, `other` for a diner who needs no card; neither
    means that nobody has been asked yet. `received` is what was typed, in yuan.
    """

    meal: str | None = None
    elder_id: int | None = None
    other: bool = False
    service: str = "eat_in"
    payment: str = "cash"
    lines: Mapping[int, int] = field(default_factory=dict)
    received: str = ""
    to_account: bool = False
    expected_fen: int | None = None
    key: str = ""

    @property
    def received_fen(self) -> int | None:
        """What the diner handed over, in fen; None while it is not an amount."""
        try:
            return parse_yuan(self.received) if self.received.strip() else None
        except BadAmount:
            return None

    def did(self, act: str) -> Basket:
        """The basket after one tap: "add-12", "less-12", "meal-lunch", "elder-7", "other", …

        A tap this page does not know changes nothing.
        """
        verb, _, what = act.partition("-")
        if verb in ("add", "less", "drop"):
            return self._moved(verb, whole(what))
        if verb == "meal" and what in MEALS:
            return replace(self, meal=what, lines={} if what != self.meal else self.lines)
        if verb == "service" and what in SERVICES:
            return replace(self, service=what)
        if verb == "payment" and what in ("cash", "online"):
            return replace(self, payment=what)
        if verb == "elder":
            return replace(self, elder_id=whole(what), other=False)
        if verb == "received":
            fen = whole(what)
            return replace(self, received=yuan(fen).replace(",", "") if fen is not None else "")
        changes = {
            "other": {"elder_id": None, "other": True, "to_account": False},
            "nobody": {"elder_id": None, "other": False, "to_account": False},
            "account": {"to_account": not self.to_account},
        }
        if verb == "clear":
            return Basket(meal=self.meal, key=new_key())
        return replace(self, **changes.get(verb, {}))  # type: ignore[arg-type]

    def _moved(self, verb: str, item_id: int | None) -> Basket:
        if item_id is None:
            return self
        now = self.lines.get(item_id, 0)
        then = {"add": min(now + 1, MOST_OF_A_DISH), "less": now - 1, "drop": 0}[verb]
        lines = {**self.lines, item_id: then}
        return replace(self, lines={item: many for item, many in lines.items() if many > 0})

    def wish(self, canteen_id: int, on: date, expected_fen: int | None = None) -> Wish:
        """The order this basket asks for: sold and handed over at once if paid in cash.

        `expected_fen` is the price the diner agreed to; where nothing is left to pay there is
        nothing to scan either.
        """
        payment = "cash" if self.expected_fen == 0 else self.payment
        return Wish(
            canteen_id=canteen_id, on=on, meal=self.meal or "", service=self.service,
            lines=dict(self.lines), elder_id=self.elder_id, payment=payment, channel="till",
            expected_payable_fen=expected_fen, serve_now=payment == "cash",
            to_account=self.to_account,
        )


def read(given: MultiDict[str, str]) -> Basket:
    """The basket a form (or an address of ours) holds; what makes no sense is left out."""
    lines = {}
    for name in given:
        item_id = whole(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
        many = whole(given[name]) if item_id is not None else None
        if item_id is not None and many:
            lines[item_id] = min(many, ABSURD)
    meal, service, payment = (given.get(name) for name in ("meal", "service", "payment"))
    elder_id = whole(given.get("elder", ""))
    return Basket(
        meal=meal if meal in MEALS else None,
        elder_id=elder_id,
        other=elder_id is None and given.get("other") == "1",
        service=service if service in SERVICES else "eat_in",
        payment="online" if payment == "online" else "cash",
        lines=lines,
        received=given.get("received", "").strip()[:12],
        to_account=given.get("to_account") == "1",
        expected_fen=whole(given.get("expected", "")),
        key=given.get(FIELD, "") or new_key(),
    )


def whole(text: str) -> int | None:
    """A whole number from nought up, as the database can hold it; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if number <= MOST else None
