"""A what-if as a person asks for it: one or two drafts, a period, a ground; plain values back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.errors import NotFound, Refused
from canteen.subsidies.drafting import document_of, visible
from canteen.subsidies.models import Period, PolicyDraft
from canteen.territory.actors import Actor
from canteen.territory.models import Territory
from canteen.whatif.replaying import BadDrafts, BadPeriod, UnknownTerritory, replay
from canteen.whatif.scenarios import check_ground
from canteen.words import Text

KIND = "what_if"
SIDE_BY_SIDE = 2
LONGEST_YEARS = 2
REPLAYING = Text("正在逐餐重算", "Pricing the meals once more")


class PeriodTooLong(Refused):
    """More days than one answer is waited for; the command line takes any."""

    code = "period_too_long"
    text = Text("一次最多试算{years}年", "At most {years} years are counted at once")


def wish(
    draft_ids: Sequence[int], first: date, last: date, territory: str, by: Actor
) -> dict[str, Any]:
    """What is asked for, checked, as the plain values `answer` takes.

    Refuses BadDrafts, BadPeriod, PeriodTooLong, UnknownTerritory, DraftElsewhere, and NotFound
    for a draft the actor may not see.
    """
    ids = list(dict.fromkeys(draft_ids))
    if not 1 <= len(ids) <= SIDE_BY_SIDE:
        raise BadDrafts(field="draft", most=SIDE_BY_SIDE)
    if last < first:
        raise BadPeriod(field="last")
    if (last - first).days > LONGEST_YEARS * 366:
        raise PeriodTooLong(field="first", years=LONGEST_YEARS)
    found = db.session.get(Territory, territory)
    if found is None or found.level == "street" or not by.reaches(territory):
        raise UnknownTerritory(field="territory", territory=territory)
    rows = sa.select(PolicyDraft).where(PolicyDraft.id.in_(ids), visible(by))
    drafts = db.session.scalars(rows).all()
    if len(drafts) != len(ids):
        raise NotFound(field="draft")
    check_ground([document_of(draft) for draft in drafts], territory)
    return {
        "drafts": ids, "first": first.isoformat(), "last": last.isoformat(),
        "territory": territory,
    }  # fmt: skip


def answer(
    asked: Mapping[str, Any], tick: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """The replay of a `wish`: `Result.to_dict`, each draft with its id and note. Reads only."""
    drafts = [db.session.get_one(PolicyDraft, number) for number in asked["drafts"]]
    notes = [{"draft_id": draft.id, "note": draft.note} for draft in drafts]
    result = replay(
        [document_of(draft) for draft in drafts], date.fromisoformat(asked["first"]),
        date.fromisoformat(asked["last"]), asked["territory"], tick=tick,
    )  # fmt: skip
    told = result.to_dict()
    for outcome, note in zip(told["outcomes"][1:], notes, strict=True):
        outcome |= note
    return told


class Told(Protocol):
    """Who hears how far the work is, and may end it."""

    def step(self, done: int, of: int, says: Text) -> None:
        """So many of so many steps are behind."""


def work(progress: Told, args: Mapping[str, Any], by: Actor) -> dict[str, Any]:
    """A `wish` done as long work, with the rights its asker has now: the `answer`."""
    asked = wish(
        args["drafts"], date.fromisoformat(args["first"]), date.fromisoformat(args["last"]),
        args["territory"], by,
    )  # fmt: skip
    told = -1

    def tick(share: float) -> None:
        nonlocal told
        if int(share * 100) > told:
            told = int(share * 100)
            progress.step(told, 100, REPLAYING)

    tick(0)
    return answer(asked, tick)


def usual_period(today: date) -> tuple[date, date]:
    """The whole months of the last year that have meals; this month so far if it is the first."""
    earliest = db.session.scalar(sa.select(sa.func.min(Period.period)))
    last = today.replace(day=1) - timedelta(days=1)
    begun = clock.period_days(earliest)[0] if earliest else today
    if begun > last:
        return today.replace(day=1), today
    return max(begun, (last - timedelta(days=360)).replace(day=1)), last
