"""An evaluator's visit: points with evidence, entered as a new version and never overwritten."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens import finding
from canteen.canteens.models import TIERS, Canteen
from canteen.db import db, insert
from canteen.errors import Conflict, NotFound, Refused
from canteen.performance import judging
from canteen.performance.measuring import JUDGED
from canteen.performance.models import Inspection, InspectionScore
from canteen.performance.schemes import Scheme, scheme_on, schemes
from canteen.territory.actors import Actor, job
from canteen.words import Text

LAST_VISIT = (
    sa.select(sa.func.max(Inspection.on))
    .where(Inspection.canteen_id == Canteen.id).scalar_subquery()
)
# That long the next visit is waited for.
SINCE = sa.func.coalesce(LAST_VISIT, Canteen.status_since)
MOST_EVIDENCE = 400
MOST_REMARK = 1_000


class BadInspection(Refused):
    """One entry of an inspection cannot be right; `field` names the dimension or the field."""

    code = "bad_inspection"
    text = Text("评估表填写有误", "That inspection cannot be right")


class InspectedMeanwhile(Conflict):
    """Another version of the same visit was entered at the same moment."""

    code = "inspected_meanwhile"


@dataclass(frozen=True)
class Points:
    """Points (0–100) for one dimension, and what was seen."""

    points: int
    evidence: str = ""


@dataclass(frozen=True)
class Due:
    """A canteen that is to be visited; `last_on` is its last visit, None before the first."""

    canteen_id: int
    name: str
    tier: int
    last_on: date | None
    due_on: date


def submit(
    canteen_id: int,
    on: date,
    points: Mapping[str, Points],
    *,
    vetoes: Collection[str] = (),
    remark: str = "",
    by: Actor,
    at: datetime,
) -> Inspection:
    """Enter a visit, or a further version of one of the same day; the scores follow at once.

    Refuses BadInspection naming the field: a day to come, a dimension missing or unknown, points
    outside 0–100, no evidence below the scheme's bound, an unknown veto. Only an evaluator enters
    one, on their ground (NotFound elsewhere).
    """
    canteen = finding.get_for(by, canteen_id)
    by.must_be("evaluator")
    if by.user_id is None or canteen.status not in JUDGED:
        raise NotFound()
    if on > clock.business_date(at):
        raise BadInspection(Text("日期不能晚于今天", "That day is still to come"), field="on")
    scheme = scheme_on(on)
    _check(scheme, points, vetoes, remark)
    version = sa.select(sa.func.max(Inspection.version)).where(
        Inspection.canteen_id == canteen_id, Inspection.on == on
    )
    row = {
        "canteen_id": canteen_id, "scheme": scheme.name, "on": on,
        "version": (db.session.scalar(version) or 0) + 1, "evaluator_id": by.user_id,
        "vetoes": sorted(set(vetoes)), "remark": remark.strip(), "submitted_at": at,
    }
    made = db.session.execute(
        insert(Inspection).values(row).on_conflict_do_nothing().returning(Inspection.id)
    ).scalar()
    if made is None:
        raise InspectedMeanwhile()
    scores = [
        {"inspection_id": made, "dimension": d.code, "points": points[d.code].points,
         "evidence": points[d.code].evidence.strip()}
        for d in scheme.entered
    ]  # fmt: skip
    db.session.execute(sa.insert(InspectionScore), scores)
    judging.judge(clock.business_date(at), by=job("judge"), at=at, canteen_id=canteen_id)
    detail = {
        "on": on.isoformat(), "version": row["version"], "vetoes": row["vetoes"],
        "points": {s["dimension"]: s["points"] for s in scores},
    }
    record(by.label, "inspect", "canteen", canteen_id, detail)
    return db.session.get_one(Inspection, made)


def inspections_of(canteen_id: int) -> Sequence[Inspection]:
    """Every version of every visit to a canteen, the latest first."""
    query = sa.select(Inspection).where(Inspection.canteen_id == canteen_id)
    latest = (Inspection.on.desc(), Inspection.version.desc())
    return db.session.scalars(query.order_by(*latest)).all()


def scores_of(inspection_id: int) -> dict[str, Points]:
    """The points and the evidence of one version, by dimension."""
    query = sa.select(InspectionScore).where(InspectionScore.inspection_id == inspection_id)
    return {row.dimension: Points(row.points, row.evidence) for row in db.session.scalars(query)}


def due(actor: Actor, on: date) -> list[Due]:
    """The canteens on this actor's ground that are to be visited by `on`, the longest due first.

    A canteen is due a year, divided by its tier's visits, after its last visit (or its listing).
    """
    between = _between(on)
    rows = db.session.execute(
        sa.select(Canteen.id, Canteen.name, Canteen.tier, LAST_VISIT, SINCE)
        .where(*_are_due(actor, on, between))
    )
    waiting = [Due(*row[:4], row[4] + between[row[2]]) for row in rows]
    return sorted(waiting, key=lambda row: (row.due_on, row.canteen_id))


def due_count(actor: Actor, on: date) -> tuple[int, date | None]:
    """How many canteens are to be visited by `on`, and the day the first of them was due."""
    between = _between(on)
    rows = db.session.execute(
        sa.select(Canteen.tier, sa.func.count(), sa.func.min(SINCE))
        .where(*_are_due(actor, on, between)).group_by(Canteen.tier)
    ).all()
    first = min((since + between[tier] for tier, _, since in rows), default=None)
    return sum(count for _, count, _ in rows), first


def _between(on: date) -> dict[int, timedelta]:
    """How long after a visit the next one is due, by tier, as the scheme of a day has it."""
    scheme = next((s for s in schemes() if s.in_force_from <= on), schemes()[-1])
    return {tier: timedelta(days=365 // scheme.visits_a_year(tier)) for tier in TIERS}


def _are_due(actor: Actor, on: date, between: Mapping[int, timedelta]) -> tuple[Any, ...]:
    late = sa.or_(
        *(sa.and_(Canteen.tier == tier, on - apart >= SINCE) for tier, apart in between.items())
    )
    return finding.visible(actor), Canteen.status.in_(JUDGED), late


def _check(
    scheme: Scheme, points: Mapping[str, Points], vetoes: Collection[str], remark: str
) -> None:
    wanted = {row.code: row for row in scheme.entered}
    for code in points:
        if code not in wanted:
            raise BadInspection(Text("没有这个维度", "No such dimension"), field=code)
    for code, dimension in wanted.items():
        given, title = points.get(code), dimension.title.text
        if given is None:
            missing = Text("请为“{what}”打分", "Score “{what}”").format(what=title)
            raise BadInspection(missing, field=code)
        if isinstance(given.points, bool) or not 0 <= given.points <= 100:
            wrong = Text("“{what}”应为 0—100 分", "“{what}” takes 0 to 100 points")
            raise BadInspection(wrong.format(what=title), field=code)
        if given.points < scheme.evidence_below and not given.evidence.strip():
            need = Text("“{what}”低于 {low} 分，请写明所见",
                        "“{what}” has less than {low} points: write what you saw")
            filled = need.format(what=title, low=scheme.evidence_below)
            raise BadInspection(filled, field=code)
        if len(given.evidence) > MOST_EVIDENCE:
            long = Text(f"说明最多 {MOST_EVIDENCE} 字", f"At most {MOST_EVIDENCE} characters")
            raise BadInspection(long, field=code)
    if not set(vetoes) <= {veto.code for veto in scheme.vetoes}:
        raise BadInspection(Text("没有这个否决项", "No such veto"), field="vetoes")
    if len(remark) > MOST_REMARK:
        long = Text(f"备注最多 {MOST_REMARK} 字", f"At most {MOST_REMARK} characters")
        raise BadInspection(long, field="remark")
