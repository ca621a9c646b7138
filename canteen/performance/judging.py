"""The nightly judging: scorecards and proposals about the sign, and what the district decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens import finding, listing
from canteen.canteens.models import Canteen
from canteen.db import changed, db, insert
from canteen.errors import Conflict, NotFound, Refused
from canteen.performance import carding
from canteen.performance.measuring import SignFacts, sign_facts
from canteen.performance.models import Judgement
from canteen.performance.ruling import BY_VISIT, Finding, findings
from canteen.performance.schemes import AnyRule, judging_rules
from canteen.reasons import reason_of
from canteen.territory.actors import Actor
from canteen.words import Text

CHUNK = 500


class NoSuchProposal(NotFound):
    """There is no such proposal on this ground."""

    code = "no_such_proposal"


class AlreadyDecided(Conflict):
    """Somebody decided the proposal, or it lapsed."""

    code = "already_decided"
    text = Text("这条建议已有结论，请刷新", "This proposal is already settled; look again")


class BadVerdict(Refused):
    """A proposal is accepted or dismissed."""

    code = "bad_verdict"
    text = Text("请选择采纳或驳回", "Accept it or dismiss it")


@dataclass(frozen=True)
class Outcome:
    """What one judging changed; all zero when it had been done before."""

    on: date
    scorecards: int = 0
    proposed: int = 0
    lapsed: int = 0
    carried_out: int = 0


@dataclass(frozen=True)
class Proposed:
    """A proposal as a desk sees it; `rule_title` and `text` say why."""

    id: int
    canteen_id: int
    canteen_name: str
    status: str
    rule: str
    rule_title: Text
    proposes: str
    reason_code: str
    text: Text
    facts: dict[str, Any]
    proposed_on: date
    state: str
    reason: str | None


def judge(
    on: date, *, by: Actor, at: datetime | None = None, canteen_id: int | None = None
) -> Outcome:
    """Score and judge every canteen by the facts at the end of a day; again: nothing new.

    New inspections become scorecards and grades; each rule that holds becomes a proposal, one open
    for a canteen and rule; a proposal whose facts no longer hold lapses; rules marked automatic
    are carried out. With `canteen_id` only that canteen's evaluations are looked at: the day of a
    visit is not over, and its meals are not counted yet.
    """
    by.must_be()
    at = at or clock.now()
    facts = sign_facts(on, canteen_id)
    cards = carding.make_cards(on, facts, canteen_id)
    rules = [
        rule for rule in judging_rules() if canteen_id is None or isinstance(rule, BY_VISIT)
    ]
    visits = carding.evaluations(canteen_id)
    found = {
        (key, one.rule.code): one
        for key, row in facts.items()
        for one in findings(rules, row, visits.get(key, []))
    }
    proposed, lapsed = _propose(found, facts, rules, on, by, at, canteen_id)
    carried = _carry_out(rules, facts, by, at)
    outcome = Outcome(on, cards, proposed, lapsed, carried)
    if cards or proposed or lapsed or carried:
        detail = {"scorecards": cards, "proposed": proposed, "lapsed": lapsed, "carried": carried}
        record(by.label, "judge", "day", on, detail)
    return outcome


def decide(judgement_id: int, verdict: str, reason: str, *, by: Actor, at: datetime) -> Judgement:
    """The district accepts a proposal, which changes the sign in the same act, or dismisses it.

    Refuses BadVerdict, ReasonMissing and whatever `change_status` refuses; AlreadyDecided when
    somebody was first; a proposal on foreign ground is NoSuchProposal.
    """
    judgement = _get_for(by, judgement_id)
    by.must_be("district", "city")
    if verdict not in ("accept", "dismiss"):
        raise BadVerdict(field="verdict")
    reason = reason_of(reason)
    values = {
        "state": "accepted" if verdict == "accept" else "dismissed",
        "decided_by": by.label, "decided_at": at, "reason": reason,
    }
    if _settle([judgement_id], values) != 1:
        raise AlreadyDecided()
    db.session.refresh(judgement)
    if verdict == "accept":
        facts = {"judgement": judgement_id, **judgement.facts}
        listing.change_status(
            judgement.canteen_id, judgement.proposes, judgement.reason_code, reason,
            by=by, at=at, facts=facts,
        )  # fmt: skip
    detail = {"rule": judgement.rule, "proposes": judgement.proposes, "reason": reason}
    record(by.label, verdict, "judgement", judgement_id, detail)
    return judgement


def proposals(
    actor: Actor, *, state: str | None = "proposed", canteen_id: int | None = None, limit: int = 200
) -> list[Proposed]:
    """The proposals about canteens `actor` may see, the oldest first; state None for all."""
    query = _with_canteen().where(finding.visible(actor))
    if state is not None:
        query = query.where(Judgement.state == state)
    if canteen_id is not None:
        query = query.where(Judgement.canteen_id == canteen_id)
    query = query.order_by(Judgement.proposed_on, Judgement.id).limit(limit)
    titles = _titles()
    return [_shown(row, name, status, titles) for row, name, status in db.session.execute(query)]


def waiting_count(actor: Actor) -> int:
    """How many proposals about canteens `actor` may see nobody has decided."""
    query = sa.select(sa.func.count()).select_from(Judgement)
    query = query.join(Canteen, Canteen.id == Judgement.canteen_id)
    return db.session.scalar(
        query.where(finding.visible(actor), Judgement.state == "proposed")
    ) or 0


def proposal_for(actor: Actor, judgement_id: int) -> Proposed:
    """One proposal, if the actor may see its canteen; NoSuchProposal otherwise."""
    query = _with_canteen().where(finding.visible(actor), Judgement.id == judgement_id)
    row = db.session.execute(query).first()
    if row is None or actor.role not in (*finding.STAFF, "operator", "manager", "job"):
        raise NoSuchProposal()
    return _shown(row[0], row[1], row[2], _titles())


def _propose(
    found: dict[tuple[int, str], Finding],
    facts: dict[int, SignFacts],
    rules: Sequence[AnyRule],
    on: date,
    by: Actor,
    at: datetime,
    canteen_id: int | None,
) -> tuple[int, int]:
    """Bring the open proposals in line with what was found; gives (made, lapsed)."""
    query = sa.select(Judgement).where(Judgement.state.in_(("proposed", "accepted", "dismissed")))
    if canteen_id is not None:
        looked_at = [rule.code for rule in rules]
        query = query.where(Judgement.canteen_id == canteen_id, Judgement.rule.in_(looked_at))
    open_now: dict[tuple[int, str], Judgement] = {}
    silent: set[tuple[int, str]] = set()
    for row in db.session.scalars(query):
        key = (row.canteen_id, row.rule)
        if row.state == "proposed":
            open_now[key] = row
        elif key in found and _silences(row, found[key], on):
            silent.add(key)
    rows = [
        {
            "canteen_id": key[0], "rule": key[1], "proposes": one.rule.to,
            "reason_code": one.rule.reason, "facts": one.as_json(), "proposed_on": on,
            "state": "proposed",
        }
        for key, one in found.items()
        if key not in open_now and key not in silent
    ]  # fmt: skip
    made = 0
    for start in range(0, len(rows), CHUNK):
        # The partial unique index keeps a second judging of the same night from doubling them.
        statement = insert(Judgement).values(rows[start : start + CHUNK]).on_conflict_do_nothing()
        made += changed(db.session.execute(statement))
    fresh = [
        {"id": row.id, "facts": found[key].as_json()}
        for key, row in open_now.items()
        if key in found and row.facts != found[key].as_json()
    ]
    if fresh:
        db.session.execute(sa.update(Judgement), fresh)
    over = [row.id for key, row in open_now.items() if key not in found]
    values = {"state": "lapsed", "decided_by": by.label, "decided_at": at}
    return made, _settle(over, values) if over else 0


def _silences(decided: Judgement, one: Finding, on: date) -> bool:
    """Whether a decision on the same ground still speaks against proposing it again."""
    if decided.facts.get("ground") != one.ground:
        return False
    if decided.state == "accepted" or decided.decided_at is None:
        return True
    return (on - clock.business_date(decided.decided_at)).days < one.rule.quiet_days


def _carry_out(
    rules: Iterable[AnyRule], facts: dict[int, SignFacts], by: Actor, at: datetime
) -> int:
    """Accept the proposals of rules that are marked automatic, in the job's name."""
    titles = {rule.code: rule.title.text for rule in rules if rule.automatic}
    if not titles:
        return 0
    waiting = db.session.scalars(
        sa.select(Judgement)
        .where(
            Judgement.state == "proposed",
            Judgement.rule.in_(titles),
            Judgement.canteen_id.in_(facts),
        )
        .order_by(Judgement.id)
    ).all()
    done = 0
    for judgement in waiting:
        canteen = db.session.get_one(Canteen, judgement.canteen_id, populate_existing=True)
        if judgement.proposes in listing.choices(canteen):
            decide(judgement.id, "accept", titles[judgement.rule].zh, by=by, at=at)
            done += 1
    return done


def _settle(ids: Sequence[int], values: dict[str, Any]) -> int:
    """Settle proposals that are still open; gives how many were."""
    done = db.session.execute(
        sa.update(Judgement)
        .where(Judgement.id.in_(ids), Judgement.state == "proposed")
        .values(values)
        .execution_options(synchronize_session="fetch")
    )
    return changed(done)


def _get_for(actor: Actor, judgement_id: int) -> Judgement:
    query = sa.select(Judgement).join(Canteen, Canteen.id == Judgement.canteen_id)
    query = query.where(Judgement.id == judgement_id, finding.visible(actor))
    judgement = db.session.scalars(query).first()
    if judgement is None:
        raise NoSuchProposal()
    return judgement


def _with_canteen() -> sa.Select[tuple[Judgement, str, str]]:
    query = sa.select(Judgement, Canteen.name, Canteen.status)
    return query.join(Canteen, Canteen.id == Judgement.canteen_id)


def _titles() -> dict[str, Text]:
    """What the rules are called, by code."""
    return {rule.code: rule.title.text for rule in judging_rules()}


def _shown(judgement: Judgement, name: str, status: str, titles: dict[str, Text]) -> Proposed:
    facts = dict(judgement.facts)
    return Proposed(
        id=judgement.id, canteen_id=judgement.canteen_id, canteen_name=name, status=status,
        rule=judgement.rule,
        rule_title=titles.get(judgement.rule, Text(judgement.rule, judgement.rule)),
        proposes=judgement.proposes, reason_code=judgement.reason_code,
        text=Text(facts.get("zh", ""), facts.get("en", "")), facts=facts,
        proposed_on=judgement.proposed_on, state=judgement.state, reason=judgement.reason,
    )  # fmt: skip
