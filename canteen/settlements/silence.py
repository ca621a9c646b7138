"""When nobody acts: reminders, then agreement by silence or the next office, as the rule says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record_each
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.notices.telling import tell
from canteen.settlements import gates, rules
from canteen.settlements.deadlines import due_on
from canteen.settlements.models import Statement
from canteen.settlements.review_models import Correction
from canteen.settlements.rules import OFFICES, Rule
from canteen.settlements.standing import move
from canteen.territory.actors import Actor, job
from canteen.territory.models import city_of
from canteen.words import Text, day, month

SILENCE = job("silence")
# After the day has passed an office is reminded again so many days later. A default of our own.
AGAIN = 7
VERDICTS = {"consent": "consented", "escalate": "escalated"}
# What depends on no payee's good will.
OWED = Statement.total_fen <= 0
# Who closed for good may never answer; what it earned is looked at by the offices all the same.
DELISTED = sa.exists().where(Canteen.id == Statement.canteen_id, Canteen.status == "delisted")
BECAUSE_DELISTED = "食堂已摘牌，企业没有答复 · delisted, its operator did not answer"
AT_ONCE = 500
SOON = Text(
    "{month}有{n}张结算单请在{due}前办理",
    "{month}: {n:statement is|statements are} to be done by {due}",
)
LATE = Text(
    "{month}有{n}张结算单应在{due}前办完，已逾期，请尽快办理",
    "{month}: {n:statement was|statements were} due on {due}; please act now",
)
# What the office above is told of one that is late, once.
BELOW = {
    "operator": Text("运营企业", "operators"),
    "street": Text("街道", "street offices"),
    "district": Text("区民政局", "district bureaus"),
}
ABOVE = Text(
    "{who}有{n}张{month}的结算单应在{due}前办完，已逾期，请督促",
    "{month}: {n:statement is|statements are} late with the {who} (due on {due}); please see to it",
)
CONSENTED = Text(
    "{month}有{n}张结算单到{due}没有回复，已视为同意并送下一环节；下一环节办理前可以撤回",
    "{month}: by {due} nobody answered {n:statement, which counts|statements, which count} as"
    " agreed; until the next office acts you may take that back",
)
ESCALATED = Text(
    "{month}有{n}张结算单因上一环节到{due}没有办理，已转给您",
    "{month}: {n:statement|statements} came to you because the office before did not act by {due}",
)


@dataclass(frozen=True)
class Silent:
    """What silence came to: messages told, statements agreed to, statements passed on."""

    told: int = 0
    consented: int = 0
    escalated: int = 0


def run(on: date, at: datetime, by: Actor = SILENCE) -> Silent:
    """Remind of what is due, and let the rules act where nobody did, as of the Shanghai day `on`.

    Doing it twice changes nothing. What is owed does not wait for who owes it: a statement of
    nothing or less passes its operator's day whatever the rule says. So does one of a canteen that
    is delisted, or the year could never be squared when its operator is gone. A statement with a
    line to be put right, or with an answer the office asked for and has not looked at, is only
    reminded of: silence answers no question.
    """
    moved = {"consented": 0, "escalated": 0}
    told = 0
    followed = sa.select(Statement.rule_id).where(Statement.stage.in_(OFFICES)).distinct()
    for rule_id, rule in rules.by_ids(db.session.scalars(followed)).items():
        silent = [(each.office, VERDICTS[each.silent], sa.true(), "")
                  for each in rule.stages if each.silent in VERDICTS]  # fmt: skip
        always = (("operator", "consented", OWED, ""),
                  ("operator", "consented", DELISTED, BECAUSE_DELISTED))  # fmt: skip
        for office, verdict, which, why in (*silent, *always):
            count, notices = _pass_over(rule, rule_id, office, verdict, which, on, at, by, why)
            moved[verdict] += count
            told += notices
    return Silent(told + _remind(on, at), **moved)


def _pass_over(
    rule: Rule, rule_id: int | None, office: str, verdict: str, which: Any, on: date,
    at: datetime, by: Actor, why: str,
) -> tuple[int, int]:  # fmt: skip
    """Move what an office left lying of one rule, set by set."""
    s = Statement
    asked = sa.exists().where(
        Correction.statement_id == s.id,
        (Correction.state == "asked")
        | ((Correction.state == "answered") & gates.to_be_noted(office)),
    )
    mine = s.rule_id.is_(None) if rule_id is None else s.rule_id == rule_id
    rows = db.session.execute(
        sa.select(s.__table__)
        .where(mine, which, s.stage == office, s.due_on < on, ~asked)
        .order_by(s.id).with_for_update(skip_locked=True)
    ).all()  # fmt: skip
    sets: dict[tuple[str, str, date], list[Any]] = {}
    for row in rows:
        sets.setdefault((row.payee, row.period, row.due_on), []).append(row)
    passed: dict[tuple[str, str, date], list[Any]] = {}
    for (payee, period, due), group in sets.items():
        to = rule.after(office, payee)
        then = due_on(period, to, clock.business_date(at), rule)
        ids = [row.id for row in group]
        for start in range(0, len(ids), AT_ONCE):
            move(ids[start : start + AT_ONCE], office, to, then, verdict, by, at, why)
        record_each(
            by.label, verdict, "statement", {id_: {"stage": office, "to": to} for id_ in ids}
        )
        told_to = to if verdict == "escalated" else office
        passed.setdefault((told_to, period, due), []).extend(group)
    words = ESCALATED if verdict == "escalated" else CONSENTED
    told = sum(
        _tell(verdict, words, told_to, group, period, due, at)
        for (told_to, period, due), group in passed.items()
    )
    return len(rows), told


def _remind(on: date, at: datetime) -> int:
    """One message for each office, month and day: before the day, after it, and again; after it one
    for the next office of the chain, too."""
    s = Statement
    rows = db.session.execute(
        sa.select(s.id, s.payee, s.rule_id, s.stage, s.period, s.due_on, s.operator_id,
                  s.street_code, s.district_code)
        .where(s.stage.in_(OFFICES), s.due_on <= on + timedelta(days=31)).order_by(s.id)
    ).all()  # fmt: skip
    known = rules.by_ids(row.rule_id for row in rows)
    soon: dict[tuple[str, str, date], list[Any]] = {}
    late: dict[tuple[str, str, date], list[Any]] = {}
    for row in rows:
        stage = known[row.rule_id].stage(row.stage) or rules.DEFAULT.stage(row.stage)
        key = (row.stage, row.period, row.due_on)
        if row.due_on < on:
            late.setdefault(key, []).append(row)
        elif stage and row.due_on - timedelta(days=stage.remind_days) <= on:
            soon.setdefault(key, []).append(row)
    told = 0
    for (office, period, due), group in soon.items():
        told += _tell("soon", SOON, office, group, period, due, at)
    for (office, period, due), group in late.items():
        nth = ((on - due).days - 1) // AGAIN
        told += _tell(f"late{nth}", LATE, office, group, period, due, at)
        above: dict[str, list[Any]] = {}
        for row in group if office in BELOW else []:
            above.setdefault(known[row.rule_id].after(office, row.payee), []).append(row)
        for next_, behind in above.items():
            told += _tell("above", ABOVE, next_, behind, period, due, at, waits_at=office)
    return told


def _tell(
    what: str, words: Text, office: str, rows: Sequence[Any], period: str, due: date, at: datetime,
    *, waits_at: str = "",
) -> int:  # fmt: skip
    """Tell each operator or office of its own among these statements, once; gives how many.
    `waits_at` is the office that has them, when that is another one."""
    groups: dict[tuple[int | None, str | None], int] = {}
    for row in rows:
        to = {
            "operator": (row.operator_id, None), "street": (None, row.street_code),
            "district": (None, row.district_code), "city": (None, city_of(row.district_code)),
        }[office]  # fmt: skip
        groups[to] = groups.get(to, 0) + 1
    told, where = 0, waits_at or office
    for (operator_id, territory), count in groups.items():
        told += tell(
            f"review:{what}{waits_at}:{office}:{territory or operator_id}:{period}:{due}",
            "reminder",
            words.format(month=month(period), n=count, due=day(due), who=BELOW.get(waits_at, "")),
            at=at,
            operator_id=operator_id, role=office if territory else None, territory=territory,
            path=f"/{'operator' if operator_id else 'bureau'}/statements?stage={where}",
        ) is not None  # fmt: skip
    return told
