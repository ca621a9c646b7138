"""An elder in a story: put on the register, facts, cards, family, and what was changed."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.audit.models import AuditRecord
from canteen.db import db
from canteen.elders.models import FACTS, Card, Elder, ElderFact
from canteen.elders.models import FamilyMember as Member
from canteen.stories import records
from canteen.stories.events import Event, on_day
from canteen.words import Text, day

# What cards and subsidies tell themselves.
TOLD = ("issue_card", "report_card_lost", "replace_card", "late_fact")
MAY = Text("准许{who}代订", "Let {who} order")
NO_MORE = Text("停止{who}代订", "Ended {who}'s ordering")


def register(elder: Elder) -> list[Event]:
    """Everything the register has, and what the trail tells of what it no longer has."""
    rows = records.rows("elder", [elder.id], TOLD)
    by = next((row.actor for row in rows if row.act == "enrol"), "")
    told = [Event(elder.registered_at, "register", Text("登记为老人", "Put on the register"), by)]
    facts = db.session.scalars(sa.select(ElderFact).where(ElderFact.elder_id == elder.id))
    told += [_fact(fact) for fact in facts]
    told += _cards(elder.id)
    told += _family(elder.id, rows)
    standing = _standing(rows)
    return told + [
        records.tell(row, "register") for row in rows
        if row.act not in ("enrol", "allow_family", "end_family") and row.id not in standing
    ]


def _standing(rows: list[AuditRecord]) -> set[int]:
    """The records of facts that were not withdrawn later: their rows tell them. A number may be
    given again once its fact is gone."""
    last: dict[int, int] = {}
    for row in rows:
        if row.act == "record_fact":
            last[row.detail["fact"]] = row.id
        elif row.act == "withdraw_fact":
            last.pop(row.detail["fact"], None)
    return set(last.values())


def _fact(fact: ElderFact) -> Event:
    until = (
        Text("，至{on}", ", until {on}").format(on=day(fact.valid_to, year=True))
        if fact.valid_to else Text("", "")
    )  # fmt: skip
    text = Text("记入：{what}，自{on}{until}", "Recorded: {what}, from {on}{until}").format(
        what=FACTS.get(fact.value, fact.value), on=day(fact.valid_from, year=True), until=until
    )
    return Event(fact.recorded_at, "register", text, fact.recorded_by)


def _cards(elder_id: int) -> list[Event]:
    told = []
    for card in db.session.scalars(sa.select(Card).where(Card.elder_id == elder_id)):
        tail = card.number[-4:]
        issued = Text("发卡，尾号 {n}", "Card issued, ends {n}").format(n=tail)
        told.append(on_day(card.issued_on, "register", issued))
        if card.lost_at:
            lost = Text("卡挂失，尾号 {n}", "Card reported lost, ends {n}").format(n=tail)
            told.append(Event(card.lost_at, "register", lost))
    return told


def _family(elder_id: int, rows: list[AuditRecord]) -> list[Event]:
    """Who may order: a row is overwritten when somebody is let order again, the trail is not."""
    told = []
    relations: dict[int, str] = {}
    ended = set()
    for row in rows:
        user = row.detail.get("user", 0)
        if row.act == "allow_family":
            relations[user] = row.detail["relation"]
            told.append(Event(row.at, "register", MAY.format(who=relations[user]), row.actor))
        elif row.act == "end_family":
            ended.add(user)
            who = relations.get(user, "")
            told.append(Event(row.at, "register", NO_MORE.format(who=who), row.actor))
    for member in db.session.scalars(sa.select(Member).where(Member.elder_id == elder_id)):
        if member.user_id not in relations:
            told.append(Event(member.since, "register", MAY.format(who=member.relation)))
        if member.ended_at and member.user_id not in ended:
            told.append(Event(member.ended_at, "register", NO_MORE.format(who=member.relation)))
    return told
