"""A what-if as a person asks for it: one or two drafts, a period, a ground; plain values back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import msgspec
import sqlalchemy as sa

from canteen import clock
from canteen.access.models import User
from canteen.db import db
from canteen.errors import Conflict, NotFound, Refused
from canteen.subsidies import drafting
from canteen.subsidies.drafting import document_of
from canteen.subsidies.models import Period, PolicyDraft
from canteen.tasks.models import Task
from canteen.territory.actors import DECIDERS, Actor
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
    text = Text(
        "一次最多试算{years}年；更长的请管理员在服务器上用 canteen what-if 命令试算",
        "At most {years} years are counted at once; the command canteen what-if on the server"
        " takes any period",
    )


class PeriodToCome(Refused):
    """The period has not begun: there is no meal to price once more."""

    code = "period_to_come"
    text = Text(
        "这段日期还没有到，没有餐可以试算", "These days are still to come; there is no meal to try"
    )


class NotCounted(Conflict):
    """The replay has no result: it is under way, or was given up."""

    code = "what_if_not_counted"
    text = Text("试算还没有结果", "The replay has no result yet")


class Trial(NamedTuple):
    """The last replay of a draft that its office can look at."""

    task_id: int
    ended_at: datetime
    digest: str


def wish(
    draft_ids: Sequence[int], first: date, last: date, territory: str, by: Actor, *, on: date
) -> dict[str, Any]:
    """What is asked for on the day `on`, checked, as the plain values `answer` takes.

    Refuses BadDrafts, BadPeriod, PeriodToCome, PeriodTooLong, UnknownTerritory, DraftElsewhere,
    and NotFound for a draft the actor may not see.
    """
    ids = list(dict.fromkeys(draft_ids))
    if not 1 <= len(ids) <= SIDE_BY_SIDE:
        raise BadDrafts(field="draft", most=SIDE_BY_SIDE)
    if last < first:
        raise BadPeriod(field="last")
    if first > on:
        raise PeriodToCome(field="first")
    if (last - first).days > LONGEST_YEARS * 366:
        raise PeriodTooLong(field="first", years=LONGEST_YEARS)
    found = db.session.get(Territory, territory)
    if found is None or found.level == "street" or not by.reaches(territory):
        raise UnknownTerritory(field="territory", territory=territory)
    rows = sa.select(PolicyDraft).where(PolicyDraft.id.in_(ids), drafting.visible(by))
    drafts = {draft.id: draft for draft in db.session.scalars(rows)}
    if len(drafts) != len(ids):
        raise NotFound(field="draft")
    check_ground([document_of(draft) for draft in drafts.values()], territory)
    return {
        "drafts": ids, "first": first.isoformat(), "last": last.isoformat(),
        "territory": territory,
        # A draft changed meanwhile is another wish.
        "digests": [rules_digest(drafts[number]) for number in ids],
        "names": [drafts[number].note or drafts[number].code for number in ids],
    }  # fmt: skip


def rules_digest(draft: PolicyDraft) -> str:
    """A mark of what a replay prices in a draft: not its dates, its document's name or its notes.

    So a draft that gets its number after it was tried is still the one that was tried.
    """
    rules = msgspec.structs.replace(
        document_of(draft), effective_from=date.min, effective_to=None, document="", notes=(),
        source_mark="D",
    )  # fmt: skip
    return hashlib.sha256(rules.to_json().encode()).hexdigest()[:16]


def visible(by: Actor) -> sa.ColumnElement[bool]:
    """The replays an actor may look at: their own, and what their office has finished.

    Whoever publishes a draft sees what it was found to cost, not only who wrote it.
    """
    if by.role not in DECIDERS:
        return sa.false()
    office = sa.select(User.id).where(User.role == by.role, User.territory_code == by.territory)
    of_office = (Task.state == "done") & Task.asked_by_user_id.in_(office)
    return (Task.kind == KIND) & (of_office | (Task.asked_by == by.label))


def latest(by: Actor) -> dict[int, Trial]:
    """The last finished replay of each draft, by the draft's id, as far as an actor may see."""
    rows = db.session.execute(
        sa.select(Task.id, Task.ended_at, Task.result["digests"])
        .where(visible(by), Task.state == "done").order_by(Task.id)
    )  # fmt: skip
    return {
        int(draft_id): Trial(task_id, ended_at, digest)
        for task_id, ended_at, digests in rows if ended_at and digests
        for draft_id, digest in digests.items()
    }  # fmt: skip


def result(task_id: int, by: Actor) -> dict[str, Any]:
    """The `answer` of a finished replay. Refuses NotFound and NotCounted."""
    task = db.session.scalar(
        sa.select(Task).where(Task.id == task_id, visible(by))
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if task is None:
        raise NotFound()
    if task.state != "done":
        raise NotCounted()
    return dict(task.result)


def changed_since(found: Mapping[str, Any]) -> list[int]:
    """The drafts of an `answer` whose rules are no longer those that were priced."""
    digests = {int(number): digest for number, digest in found["digests"].items()}
    drafts = db.session.scalars(sa.select(PolicyDraft).where(PolicyDraft.id.in_(digests)))
    return [draft.id for draft in drafts if rules_digest(draft) != digests[draft.id]]


def answer(
    asked: Mapping[str, Any], tick: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """The replay of a `wish`: `Result.to_dict`, each draft with its id, note and the digest of
    what was priced. Reads only."""
    drafts = [db.session.get_one(PolicyDraft, number) for number in asked["drafts"]]
    notes = [{"draft_id": draft.id, "note": draft.note} for draft in drafts]
    digests = {str(draft.id): rules_digest(draft) for draft in drafts}
    result = replay(
        [document_of(draft) for draft in drafts], date.fromisoformat(asked["first"]),
        date.fromisoformat(asked["last"]), asked["territory"], tick=tick,
    )  # fmt: skip
    told = result.to_dict()
    for outcome, note in zip(told["outcomes"][1:], notes, strict=True):
        outcome |= note
    return told | {"digests": digests}


class Told(Protocol):
    """Who hears how far the work is, and may end it."""

    def step(self, done: int, of: int, says: Text) -> None:
        """So many of so many steps are behind."""


def work(progress: Told, args: Mapping[str, Any], by: Actor) -> dict[str, Any]:
    """A `wish` done as long work, with the rights its asker has now: the `answer`."""
    asked = wish(
        args["drafts"], date.fromisoformat(args["first"]), date.fromisoformat(args["last"]),
        args["territory"], by, on=clock.business_date(),
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
