"""A suspicion in words: what was found, the evidence behind it, the orders to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from string import Formatter
from typing import Any

from canteen import clock
from canteen.canteens.models import MEALS, STATUSES
from canteen.checks.catalogue import BY_CODE
from canteen.checks.models import Suspicion
from canteen.elders.models import CARE_LEVELS, CATEGORIES
from canteen.money import yuan
from canteen.orders.models import SERVICES
from canteen.words import Text, day

WORDS: dict[str, dict[str, Text]] = {
    "meal": MEALS, "service": SERVICES, "status": STATUSES, "fact": CATEGORIES | CARE_LEVELS,
    "side": {"elder": Text("老人", "elder"), "enterprise": Text("企业", "enterprise")},
}
UNKNOWN = Text("未知", "unknown")
LISTS = ("order_ids", "elder_ids")


@dataclass(frozen=True)
class Explained:
    """What a page shows of a suspicion. `evidence` is every piece by its name, in words."""

    title: Text
    sentence: Text
    evidence: dict[str, Text]
    order_ids: tuple[int, ...]
    elder_ids: tuple[int, ...]


def explain(suspicion: Suspicion) -> Explained:
    """The plain sentence of a suspicion with its evidence; a check that has left the catalogue
    is named by its code."""
    check = BY_CODE.get(suspicion.code)
    told = {
        name: in_words(name, value)
        for name, value in suspicion.evidence.items() if name not in LISTS
    }  # fmt: skip
    reason = check.reason.zh if check else ""
    meal_on = suspicion.evidence.get("meal_on") if "{meal_on}" in reason else None
    short = {name: _on_that_day(name, suspicion.evidence[name], meal_on, told[name])
             for name in told}  # fmt: skip
    orders = {suspicion.order_id, suspicion.evidence.get("other_order_id")} - {None}
    elders = {suspicion.elder_id, suspicion.evidence.get("other_elder_id")} - {None}
    code = Text(suspicion.code, suspicion.code)
    return Explained(
        title=check.title if check else code,
        sentence=check.reason.format(**(dict.fromkeys(_pieces(check.reason), UNKNOWN) | short))
        if check else code,
        evidence=told,
        order_ids=tuple(sorted(orders | _ids(suspicion.evidence.get("order_ids")))),
        elder_ids=tuple(sorted(elders | _ids(suspicion.evidence.get("elder_ids")))),
    )


def _pieces(reason: Text) -> list[str]:
    """What a sentence names. A finding made before a check was changed may lack some of it."""
    return [name for _, name, _, _ in Formatter().parse(reason.zh + reason.en) if name]


def in_words(name: str, value: Any) -> Text:
    """One piece of evidence as people say it, by the unit its name ends in."""
    if value is None:
        return UNKNOWN
    if name.endswith("_fen"):
        return _same(yuan(int(value)))
    if name.endswith("_bp"):
        return _same(f"{int(value) / 100:.0f}%")
    if name.endswith("_on"):
        return day(date.fromisoformat(str(value)[:10]), year=True)
    if name.endswith("_at"):
        local = clock.local(datetime.fromtimestamp(int(value), UTC))
        return Text(*(f"{on} {_hour(local)}" for on in day(local.date(), year=True)))
    return WORDS.get(name, {}).get(str(value), _same(str(value)))


def _on_that_day(name: str, value: Any, meal_on: Any, said: Text) -> Text:
    """A moment of the meal's own day as its hour alone: the sentence names the day already."""
    if not name.endswith("_at") or value is None or meal_on is None:
        return said
    local = clock.local(datetime.fromtimestamp(int(value), UTC))
    return _same(_hour(local)) if local.date().isoformat() == str(meal_on)[:10] else said


def _hour(local: datetime) -> str:
    return f"{local:%H:%M:%S}".removesuffix(":00")


def _same(text: str) -> Text:
    return Text(text, text)


def _ids(told: str | None) -> set[int]:
    return {int(piece) for piece in told.split(",")} if told else set()
