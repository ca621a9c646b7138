"""A canteen's papers: entered with their dates, valid on a day or not, running out soon."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.canteens import finding
from canteen.canteens.models import OPEN_STATUSES, Canteen, Licence
from canteen.canteens.rulebook import sign_rules
from canteen.db import db
from canteen.errors import Refused
from canteen.territory.actors import Actor
from canteen.words import Text

PAPERS = {
    "business": Text("营业执照", "Business licence"),
    "food": Text("食品经营许可证", "Food-operation licence"),
    "agreement": Text("助餐服务协议", "Agreement"),
}


class PapersMissing(Refused):
    """The canteen lacks a paper that must be valid on that day."""

    code = "papers_missing"
    text = Text("缺少有效证照：{papers}", "No valid paper: {papers}")


class BadPaper(Refused):
    """The paper's kind, number or dates cannot be right."""

    code = "bad_paper"
    text = Text("证照信息有误", "That paper cannot be right")


@dataclass(frozen=True)
class Ending:
    """A paper that ends soon (or ended) and has no later one of its kind."""

    canteen_id: int
    name: str
    kind: str
    number: str
    valid_to: date


def add_paper(
    canteen_id: int,
    kind: str,
    number: str,
    valid_from: date,
    valid_to: date | None,
    *,
    by: Actor,
) -> Licence:
    """Enter a paper; `valid_to` is its last day, None for one without an end.

    Refuses BadPaper naming the field, also for one entered before. The old papers stay: what was
    valid when can be shown later.
    """
    canteen = finding.get_for(by, canteen_id)
    by.must_be("operator", "street", "district", "city")
    if kind not in PAPERS:
        raise BadPaper(Text("没有这种证照", "There is no such kind of paper"), field="kind")
    if not 1 <= len(number.strip()) <= 40:
        raise BadPaper(Text("请填写证照编号", "Write the paper's number"), field="number")
    if valid_to is not None and valid_to < valid_from:
        early = Text("有效期止早于有效期起", "The last day is before the first")
        raise BadPaper(early, field="valid_to")
    said = {
        "canteen_id": canteen_id, "kind": kind, "number": number.strip(),
        "valid_from": valid_from, "valid_to": valid_to,
    }  # fmt: skip
    db.session.refresh(canteen, with_for_update={"key_share": True})  # one paper after the other
    if db.session.scalar(sa.select(sa.exists().where(
        *(getattr(Licence, name).is_not_distinct_from(value) for name, value in said.items())
    ))):  # fmt: skip
        raise BadPaper(
            Text("这份证照已经登记过", "This paper is entered already"), field="number"
        )
    paper = Licence(**said)
    db.session.add(paper)
    db.session.flush()
    detail = {"kind": kind, "valid_from": str(valid_from), "valid_to": str(valid_to)}
    record(by.label, "add_paper", "canteen", canteen_id, detail)
    return paper


def papers_of(canteen_id: int) -> list[Licence]:
    """Every paper of a canteen, by kind, the latest first."""
    query = sa.select(Licence).where(Licence.canteen_id == canteen_id)
    return list(db.session.scalars(query.order_by(Licence.kind, Licence.valid_from.desc())))


def missing_papers(canteen_id: int, on: date) -> tuple[str, ...]:
    """The required papers of which a canteen holds none valid on a day."""
    return missing_papers_of([canteen_id], on)[canteen_id]


def missing_papers_of(canteen_ids: Collection[int], on: date) -> dict[int, tuple[str, ...]]:
    """`missing_papers` for many canteens in one query."""
    held: dict[int, set[str]] = {canteen_id: set() for canteen_id in canteen_ids}
    query = sa.select(Licence.canteen_id, Licence.kind).where(valid_on(on)).distinct()
    if len(held) == 1:
        query = query.where(Licence.canteen_id == next(iter(held)))
    for row in db.session.execute(query):
        held.get(row.canteen_id, set()).add(row.kind)
    needed = sign_rules().required_papers
    return {key: tuple(k for k in needed if k not in kinds) for key, kinds in held.items()}


def check_papers(canteen_id: int, on: date) -> None:
    """Refuse with PapersMissing unless every required paper is valid on the day."""
    missing = missing_papers(canteen_id, on)
    if missing:
        zh = "、".join(PAPERS[kind].zh for kind in missing)
        raise PapersMissing(papers=Text(zh, ", ".join(PAPERS[kind].en for kind in missing)))


def valid_on(on: date) -> sa.ColumnElement[bool]:
    """The condition on Licence for papers valid on a day, both ends included."""
    endless = Licence.valid_to.is_(None)
    return sa.and_(Licence.valid_from <= on, sa.or_(endless, Licence.valid_to >= on))


def expiring(actor: Actor, on: date, within_days: int | None = None) -> list[Ending]:
    """Papers of selling canteens that end within so many days with none to follow, soonest first.

    One query over everything `actor` may see; the days default to the sign's rules.
    """
    query = (
        sa.select(Canteen.id, Canteen.name, Licence.kind, Licence.number, Licence.valid_to)
        .join(Licence, Licence.canteen_id == Canteen.id)
        .where(_end_soon(actor, on, within_days))
        .order_by(Licence.valid_to, Canteen.id, Licence.id)
    )
    return [Ending(*row) for row in db.session.execute(query)]


def expiring_count(actor: Actor, on: date) -> tuple[int, date | None]:
    """How many papers end soon, as `expiring` has them, and the day the first one does."""
    count, first = db.session.execute(
        sa.select(sa.func.count(), sa.func.min(Licence.valid_to))
        .join(Canteen, Licence.canteen_id == Canteen.id).where(_end_soon(actor, on))
    ).one()
    return count, first


def _end_soon(
    actor: Actor, on: date, within_days: int | None = None
) -> sa.ColumnElement[bool]:
    days = sign_rules().papers_expiring_days if within_days is None else within_days
    later = sa.orm.aliased(Licence)
    follows = sa.exists().where(
        later.canteen_id == Licence.canteen_id,
        later.kind == Licence.kind,
        sa.or_(later.valid_to.is_(None), later.valid_to > Licence.valid_to),
    )
    return sa.and_(
        finding.visible(actor), Canteen.status.in_(OPEN_STATUSES),
        Licence.valid_to <= on + timedelta(days=days), ~follows,
    )
