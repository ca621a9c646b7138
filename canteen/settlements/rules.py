"""How a district reviews: which offices, until when, what silence means, how much is sampled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.db import db, insert
from canteen.errors import NotFound, Refused
from canteen.settlements import spans
from canteen.settlements.models import Statement
from canteen.settlements.review_models import ReviewRule
from canteen.settlements.spans import Days
from canteen.territory.actors import DECIDERS, Actor
from canteen.territory.models import Territory
from canteen.words import Text

OFFICES = ("operator", "street", "district", "city")
SILENT = {
    "remind": Text("只提醒", "Remind only"),
    "consent": Text("视为同意", "Counts as agreed"),
    "escalate": Text("转下一环节", "Goes to the next office"),
}
# What silence may do where: whoever must look at the sample, or pay, is never passed over.
MAY = {
    "operator": ("remind", "consent", "escalate"), "street": ("remind", "consent", "escalate"),
    "district": ("remind",), "city": ("remind",),
}  # fmt: skip
LAST_DAY, PAID_DAY = 24, 25


class BadRule(Refused):
    """The rule is out of bounds; `field` names what."""

    code = "bad_review_rule"


@dataclass(frozen=True)
class Stage:
    """One office of the chain: due on this day of the next month, what silence does then, and
    how many days before it is reminded."""

    office: str
    day: int
    silent: str = "remind"
    remind_days: int = 2


@dataclass(frozen=True)
class Rule:
    """A review rule as statements follow it. `id` is None for the defaults, `from_on` then too."""

    stages: tuple[Stage, ...]
    sample_bp: int
    sample_least: int
    extrapolate: bool
    id: int | None = None
    from_on: date | None = None
    set_by: str = ""
    days: Days = spans.DEFAULT

    def offices(self, payee: str) -> tuple[str, ...]:
        """The offices a statement passes; an elder's has no operator."""
        found = tuple(stage.office for stage in self.stages)
        return found if payee == "canteen" else tuple(o for o in found if o != "operator")

    def first(self, payee: str) -> str:
        """Where a statement begins."""
        return self.offices(payee)[0]

    def after(self, office: str, payee: str) -> str:
        """Where a statement goes from an office: the next one of the chain, then "approved".

        A canteen may be asked to put something right although its operator has no part in the
        chain: from there it goes to the first office.
        """
        later = OFFICES.index(office)
        for each in self.offices(payee):
            if OFFICES.index(each) > later:
                return each
        return "approved"

    def stage(self, office: str) -> Stage | None:
        """What the rule says of an office, or None when it has no part in the chain."""
        return next((each for each in self.stages if each.office == office), None)

    @property
    def due_days(self) -> dict[str, int]:
        """On which day of the next month each office is due, and the money. An office without a
        part in the chain may have to put something right: it has the default's day."""
        stages = (*DEFAULT.stages, *self.stages)
        return {"approved": PAID_DAY} | {stage.office: stage.day for stage in stages}

    def day_of(self, office: str) -> int | None:
        """On which day of the next month an office is due; None when nothing is due there."""
        return self.due_days.get(office)


# A default of our own: nothing is published.
DEFAULT = Rule(
    (Stage("operator", 5), Stage("street", 10), Stage("district", 15), Stage("city", 20)),
    sample_bp=500, sample_least=3, extrapolate=False,
)  # fmt: skip


def rule_for(district: str, on: date) -> Rule:
    """The rule in force in a district on a day."""
    return in_force(on).get(district, DEFAULT)


def in_force(on: date) -> dict[str, Rule]:
    """The rules in force on a day by district; a district that set none is not in it."""
    rows = db.session.scalars(
        sa.select(ReviewRule).where(ReviewRule.from_on <= on).order_by(ReviewRule.from_on)
    )
    return {row.district_code: of(row) for row in rows}


def of(row: ReviewRule) -> Rule:
    """A stored rule."""
    stages = tuple(
        Stage(each["stage"], each["day"], each["silent"], each["remind_days"])
        for each in row.stages
    )
    return Rule(
        stages, row.sample_bp, row.sample_least, row.extrapolate, row.id, row.from_on, row.set_by,
        spans.of(row),
    )  # fmt: skip


def by_ids(rule_ids: Iterable[int | None]) -> dict[int | None, Rule]:
    """The rules behind statements by their id; None is the default."""
    wanted = {each for each in rule_ids if each is not None}
    found: dict[int | None, Rule] = {None: DEFAULT}
    if wanted:
        rows = db.session.scalars(sa.select(ReviewRule).where(ReviewRule.id.in_(wanted)))
        found |= {row.id: of(row) for row in rows}
    return found


def rule_of(statement: Statement) -> Rule:
    """The rule a statement follows: the one that was in force when it was prepared."""
    return by_ids([statement.rule_id])[statement.rule_id]


def history(district: str) -> list[Rule]:
    """Every rule a district ever set, the latest first."""
    rows = db.session.scalars(
        sa.select(ReviewRule).where(ReviewRule.district_code == district)
        .order_by(ReviewRule.from_on.desc())
    )  # fmt: skip
    return [of(row) for row in rows]


def set_rule(
    district: str, stages: Sequence[Stage], from_on: date, *, sample_bp: int, sample_least: int,
    extrapolate: bool, by: Actor, today: date, at: datetime, days: Days = spans.DEFAULT,
) -> Rule:  # fmt: skip
    """Set how a district reviews the months closed from a day on, today at the earliest.

    Statements prepared before keep their rule; `days` count for meals, denials and debts from that
    day on. A second rule for a day that has not come replaces the first. `sample_bp` is of ten
    thousand meals. Refuses BadRule, Forbidden, NotFound.
    """
    by.must_be("district", "city")
    if not by.reaches(district) or not _is_district(district):
        raise NotFound()
    _check(stages, from_on, today, sample_bp, sample_least)
    _check_days(days)
    kept = [
        {"stage": s.office, "day": s.day, "silent": s.silent, "remind_days": s.remind_days}
        for s in stages
    ]
    values = {
        "stages": kept, "sample_bp": sample_bp, "sample_least": sample_least,
        "extrapolate": extrapolate, "set_by": by.label, "set_at": at, **spans.columns(days),
    }
    known = db.session.scalar(
        sa.select(ReviewRule.id).where(
            ReviewRule.district_code == district, ReviewRule.from_on == from_on
        )
    )
    if known and _is_used(known):
        raise BadRule(
            Text("今天的规则已有结算单在用，请从明天起", "Statements follow today's rule already;"
                 " begin tomorrow"), field="from_on",
        )  # fmt: skip
    db.session.execute(
        insert(ReviewRule.__table__)
        .values(district_code=district, from_on=from_on, **values)
        .on_conflict_do_update(index_elements=["district_code", "from_on"], set_=values)
    )
    db.session.expire_all()
    detail = {
        "from_on": from_on.isoformat(), "stages": kept, "sample_bp": sample_bp,
        "sample_least": sample_least, "extrapolate": extrapolate, **spans.columns(days),
    }
    record(by.label, "set_review_rule", "territory", district, detail)
    return rule_for(district, from_on)


def _is_district(code: str) -> bool:
    known = db.session.get(Territory, code)
    return known is not None and known.level == "district"


def _is_used(rule_id: int) -> bool:
    return bool(db.session.scalar(sa.select(sa.exists().where(Statement.rule_id == rule_id))))


def _check(
    stages: Sequence[Stage], from_on: date, today: date, sample_bp: int, sample_least: int
) -> None:
    offices = [stage.office for stage in stages]
    if offices != [office for office in OFFICES if office in offices]:
        raise BadRule(Text("环节须按顺序，各一次", "Each office once, in their order"),
                      field="stages")  # fmt: skip
    # The district knows its canteens, the city pays: both always look.
    if not set(DECIDERS) <= set(offices):
        raise BadRule(
            Text("区和市的审核不能省去", "The district and the city always review"),
            field="stages",
        )
    before = 0
    for stage in stages:
        if not before < stage.day <= LAST_DAY:
            raise BadRule(
                Text("期限须逐环节推后，最晚 {last} 日", "Each office later than the one before,"
                     " on the {last}th at the latest").format(last=LAST_DAY),
                field=f"day_{stage.office}",
            )  # fmt: skip
        before = stage.day
        if stage.silent not in MAY[stage.office]:
            raise BadRule(
                Text("区和市必须有人办理，只能提醒", "Somebody must act at the district and the"
                     " city: they are only reminded")
                if stage.silent in SILENT else Text("请选择", "Choose one"),
                field=f"silent_{stage.office}",
            )  # fmt: skip
        if not 0 <= stage.remind_days <= 20:
            raise BadRule(Text("提前 0 至 20 天", "0 to 20 days before"),
                          field=f"remind_{stage.office}")  # fmt: skip
    if from_on < today:
        raise BadRule(
            Text("最早从今天起", "From today at the earliest"), field="from_on"
        )
    if not 0 <= sample_bp <= 10_000:
        raise BadRule(Text("抽查 0 至 100%", "Between 0 and 100 %"), field="sample_bp")
    if not 0 <= sample_least <= 1_000:
        raise BadRule(Text("至少 0 至 1000 餐", "Between 0 and 1,000 meals"),
                      field="sample_least")  # fmt: skip


def _check_days(days: Days) -> None:
    for name, (least, most) in spans.LIMITS.items():
        if not least <= getattr(days, name) <= most:
            raise BadRule(
                Text("请填 {least} 至 {most} 天", "Between {least} and {most} days")
                .format(least=least, most=most), field=f"{name}_days",
            )  # fmt: skip
