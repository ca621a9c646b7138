"""Replaying policies over past meals: each kind of meal priced once, caps applied in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from canteen import config
from canteen.db import db
from canteen.errors import NotFound, Refused
from canteen.subsidies.shapes import Overlay, Policy
from canteen.subsidies.standing import standing as published
from canteen.territory.models import Territory
from canteen.whatif.calendar import Calendar
from canteen.whatif.counting import Counting
from canteen.whatif.meals import Kinds
from canteen.whatif.reading import batches, canteens_in, recorded, refunded
from canteen.whatif.results import Result
from canteen.whatif.scenarios import Drafted, InForceThen, check_ground
from canteen.words import Text

MOST_DRAFTS = 4
READING = 0.85  # of the work is reading the orders


class BadPeriod(Refused):
    """The last day is before the first."""

    code = "bad_period"
    text = Text("结束日期早于开始日期", "The last day is before the first")


class UnknownTerritory(NotFound):
    """No territory has this code."""

    code = "unknown_territory"
    text = Text("没有代码为 {territory} 的地区", "No territory has the code {territory}")


class BadDrafts(Refused):
    """No draft, or more than can stand side by side."""

    code = "bad_drafts"
    text = Text("请给出一至{most}份草案", "Give one to {most} drafts")


def replay(
    drafts: Sequence[Policy | Overlay],
    first: date,
    last: date,
    territory: str | None = None,
    *,
    standing: Sequence[Policy | Overlay] | None = None,
    tick: Callable[[float], None] = lambda share: None,
) -> Result:
    """What the served orders of elders from `first` to `last` would have cost under each draft.

    Beside the drafts the policies really in force are replayed in the same way, as the baseline.
    `territory` (default: the whole city) is where the meals were eaten. Every draft is taken as
    if it had been in force all the time; who ate what, where and at which price stays as it was.
    `standing` are the texts of districts' overlays to be laid over a draft of their family
    (default: those that were published). `tick` hears which share is done; what it raises ends
    the replay. Reads only. Refuses BadPeriod, BadDrafts, UnknownTerritory, DraftElsewhere,
    BaseUnknown and OverlayTextMissing.
    """
    if last < first:
        raise BadPeriod(field="last")
    if not 1 <= len(drafts) <= MOST_DRAFTS:
        raise BadDrafts(field="drafts", most=MOST_DRAFTS)
    city = config.current().city
    territory = territory or city
    if db.session.get(Territory, territory) is None:
        raise UnknownTerritory(field="territory", territory=territory)
    check_ground(drafts, territory)
    then, texts = InForceThen(), published() if standing is None else standing
    scenarios = [then, *(Drafted(draft, then, texts) for draft in drafts)]
    calendar = Calendar(first, last)
    canteens = canteens_in(territory, territory == city)
    kinds = Kinds(scenarios, calendar)
    counting = Counting(kinds, calendar, canteens, refunded(calendar))
    for batch in batches(calendar, canteens):
        counting.take(batch.rows)
        tick(batch.share * READING)
    counting.apply_caps(lambda share: tick(READING + (1 - READING) * share))
    tick(1)
    return Result(
        first=first, last=last, territory=territory, orders=counting.orders,
        elders=counting.elders, without_facts=counting.without_facts,
        recorded=recorded(calendar, canteens), outcomes=counting.outcomes(scenarios),
    )  # fmt: skip
