"""A canteen in a story: its sign and papers, closed days, inspections, proposals, its tills."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.canteens.licensing import PAPERS
from canteen.canteens.models import REASONS, STATUSES, Closure, Licence, ListingChange
from canteen.db import db
from canteen.performance.models import Inspection, Judgement
from canteen.stories import records
from canteen.stories.events import Event, because, on_day
from canteen.tills.models import Till
from canteen.words import Text, day

# What rows of their own tell better, and menus, which are published every day.
TOLD = ("apply", "change_status", "inspect", "spread", "copy_menus")
ENDED = {
    "accepted": Text("采纳建议{why}", "The proposal was accepted{why}"),
    "dismissed": Text("驳回建议{why}", "The proposal was dismissed{why}"),
    "lapsed": Text("建议失效{why}", "The proposal lapsed{why}"),
}


def sign(canteen_id: int) -> list[Event]:
    """What became of the sign, the papers behind it, the days it was closed."""
    told = []
    for change in db.session.scalars(
        sa.select(ListingChange).where(ListingChange.canteen_id == canteen_id)
    ):
        text = Text("挂牌状态变为“{to}”（{why}）{more}",
                    "The sign became “{to}” ({why}){more}").format(
            to=STATUSES[change.to_status],
            why=REASONS.get(change.reason_code, change.reason_code), more=because(change.reason),
        )  # fmt: skip
        told.append(Event(change.at, "sign", text, change.decided_by))
    for paper in db.session.scalars(sa.select(Licence).where(Licence.canteen_id == canteen_id)):
        until = day(paper.valid_to, year=True) if paper.valid_to else Text("长期", "open end")
        text = Text("{paper}（{n}）生效，至{until}", "{paper} ({n}) in force, until {until}")
        text = text.format(
            paper=PAPERS.get(paper.kind, paper.kind), n=paper.number, until=until
        )
        told.append(on_day(paper.valid_from, "sign", text))
    for closure in db.session.scalars(sa.select(Closure).where(Closure.canteen_id == canteen_id)):
        closed = Text("停业：{why}", "Closed: {why}").format(why=closure.reason)
        told.append(on_day(closure.on, "sign", closed))
    return told


def inspections(canteen_id: int) -> list[Event]:
    """The visits of evaluators."""
    text = Text("第三方评估（第 {n} 版）", "Evaluated (version {n})")
    return [
        Event(each.submitted_at, "sign", text.format(n=each.version), f"user:{each.evaluator_id}")
        for each in db.session.scalars(
            sa.select(Inspection).where(Inspection.canteen_id == canteen_id)
        )
    ]


def proposals(canteen_id: int) -> list[Event]:
    """What the rules proposed about the sign, and what the district said to it."""
    told = []
    for one in db.session.scalars(sa.select(Judgement).where(Judgement.canteen_id == canteen_id)):
        text = Text("系统建议：{what}（{why}）", "Proposed: {what} ({why})").format(
            what=STATUSES.get(one.proposes, one.proposes),
            why=REASONS.get(one.reason_code, one.reason_code),
        )  # fmt: skip
        told.append(on_day(one.proposed_on, "sign", text, "job:judge"))
        if one.decided_at:
            ended = ENDED[one.state].format(why=because(one.reason))
            told.append(Event(one.decided_at, "sign", ended, one.decided_by or ""))
    return told


def changes(canteen_id: int) -> list[Event]:
    """Tier, particulars, hours, discount, closed days announced, and the canteen's tills."""
    told = [records.tell(row, "register") for row in records.rows("canteen", [canteen_id], TOLD)]
    tills = db.session.scalars(sa.select(Till.id).where(Till.canteen_id == canteen_id)).all()
    return told + [records.tell(row, "register") for row in records.rows("till", tills)]
