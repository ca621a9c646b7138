"""The meal an elder is choosing, as the address and the form carry it from page to page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from canteen.canteens.models import MEALS
from canteen.errors import Refused
from canteen.orders.models import SERVICES
from canteen.orders.wishing import MOST_OF_A_DISH, Wish
from canteen.web.forms import a_day, whole
from canteen.words import Text

ITEM = "item-"
MOST_DISHES = 40


class NothingChosen(Refused):
    """No dish was chosen."""

    code = "nothing_chosen"
    text = Text("还没有选菜，请至少点一份", "Nothing is chosen yet; please take at least one dish")


@dataclass(frozen=True)
class Asked:
    """What is known so far of the meal being chosen; what makes no sense is left out."""

    canteen_id: int = 0
    on: date | None = None
    meal: str = ""
    service: str = ""
    payment: str = ""
    lines: Mapping[int, int] = field(default_factory=dict)
    expected_fen: int | None = None

    def but(self, **changes: Any) -> Asked:
        """The same with one thing changed."""
        return replace(self, **changes)

    def query(self) -> dict[str, Any]:
        """What an address carries of it."""
        known = {
            "canteen": self.canteen_id or None, "on": self.on.isoformat() if self.on else None,
            "meal": self.meal or None, "service": self.service or None,
        }
        lines = {f"{ITEM}{item}": many for item, many in self.lines.items()}
        return {name: value for name, value in (known | lines).items() if value is not None}

    def wish(self, elder_id: int) -> Wish:
        """The order it asks for."""
        return Wish(
            canteen_id=self.canteen_id, on=self.on or date.min, meal=self.meal,
            service=self.service, lines=dict(self.lines), elder_id=elder_id, channel="elder",
            payment=self.payment,
            expected_payable_fen=self.expected_fen, serve_now=False,
        )


def asked(given: MultiDict[str, str]) -> Asked:
    """What an address or a form of ours holds."""
    lines: dict[int, int] = {}
    for name, value in given.items():
        item = whole(name.removeprefix(ITEM)) if name.startswith(ITEM) else None
        many = whole(value) if item is not None else None
        if item is not None and many and len(lines) < MOST_DISHES:
            lines[item] = min(many, MOST_OF_A_DISH)
    meal, service = given.get("meal", ""), given.get("service", "")
    return Asked(
        canteen_id=whole(given.get("canteen", "")) or 0,
        on=a_day(given.get("on", "")),
        meal=meal if meal in MEALS else "",
        service=service if service in SERVICES else "",
        payment="online" if given.get("payment") == "online" else "cash",
        lines=lines,
        expected_fen=whole(given.get("expected", "")),
    )


def page_number() -> int:
    """Which page of a list is asked for, from 1."""
    return min(max(whole(request.args.get("page", "")) or 1, 1), 10_000)
