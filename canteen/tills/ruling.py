"""What a district lets its tills do while they cannot ask, and who bears what went too far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db, insert, is_postgresql
from canteen.errors import NotFound, Refused
from canteen.orders.models import Order
from canteen.territory.actors import Actor
from canteen.territory.models import Territory
from canteen.tills.models import BEARERS, OfflineRule
from canteen.words import Text

MOST_PER_ELDER, MOST_PER_TILL, MOST_LIMIT_FEN = 21, 2_000, 100_000_000
BEARING_LOCK = 20_240_517  # any number of our own: one till of a canteen at a time


class BadRule(Refused):
    """The rule is out of bounds; `field` names what."""

    code = "bad_offline_rule"


@dataclass(frozen=True)
class Rule:
    """A district's offline rule. `from_on` is None for the one that holds where none was set.

    `per_elder`, `per_till`: subsidised meals a till may give since it last heard from the server;
    `excess`: who bears what went beyond the caps; `limit_fen`: at most so much by the programme,
    for a canteen and month.
    """

    per_elder: int = 1
    per_till: int = 60
    excess: str = "canteen"
    limit_fen: int = 0
    from_on: date | None = None


DEFAULT = Rule()  # our own: nothing is published about sales without network


def rule_for(district: str, on: date) -> Rule:
    """The rule in force in a district on a day."""
    row = db.session.execute(_IN_FORCE, {"district": district, "day": on}).first()
    return Rule(**row._mapping) if row else DEFAULT


def rules_of(district: str) -> list[Rule]:
    """Every rule a district ever set, the latest first."""
    rows = db.session.execute(
        sa.select(*_COLUMNS)
        .where(OfflineRule.district_code == district)
        .order_by(OfflineRule.from_on.desc())
    )
    return [Rule(**row._mapping) for row in rows]


def set_rule(
    district: str, from_on: date, *, per_elder: int, per_till: int, excess: str, limit_fen: int,
    by: Actor, today: date,
) -> None:
    """The district sets its rule from a day on, today at the earliest; a second one of the same
    day replaces the first. Refuses BadRule naming the field, Forbidden, NotFound."""
    by.must_be("district", "city")
    if not by.reaches(district) or db.session.get(Territory, district) is None:
        raise NotFound()
    for field, value, most in (
        ("per_elder", per_elder, MOST_PER_ELDER), ("per_till", per_till, MOST_PER_TILL),
        ("limit_fen", limit_fen, MOST_LIMIT_FEN),
    ):
        if not 0 <= value <= most:
            bounds = Text("应在 0 到 {most} 之间", "It must lie between 0 and {most}")
            raise BadRule(bounds.format(most=most), field=field)
    if excess not in BEARERS:
        raise BadRule(Text("请选择由谁承担", "Choose who bears it"), field="excess")
    if from_on < today:
        raise BadRule(
            Text("最早只能从今天起生效", "It can take effect from today at the earliest"),
            field="from_on",
        )
    values = {
        "per_elder": per_elder, "per_till": per_till, "excess": excess, "limit_fen": limit_fen,
        "set_by": by.label, "set_at": clock.now(),
    }
    db.session.execute(
        insert(OfflineRule.__table__)
        .values(district_code=district, from_on=from_on, **values)
        .on_conflict_do_update(index_elements=["district_code", "from_on"], set_=values)
    )
    detail = {"from_on": from_on.isoformat(), "per_elder": per_elder, "per_till": per_till,
              "excess": excess, "limit_fen": limit_fen}  # fmt: skip
    record(by.label, "set_offline_rule", "territory", district, detail)


def programme_bears(district: str, canteen_id: int, on: date, fen: int) -> bool:
    """Whether the programme pays so many fen given beyond the caps on a day at this canteen.

    Within the act that gives them: another till of the canteen that asks in the same instant
    waits, so that both together stay below the limit.
    """
    rule = rule_for(district, on)
    if rule.excess != "programme" or fen > rule.limit_fen:
        return False
    if is_postgresql():
        lock = sa.func.pg_advisory_xact_lock(BEARING_LOCK, canteen_id)
        db.session.execute(sa.select(lock))
    return borne_fen(canteen_id, clock.period_of(on)) + fen <= rule.limit_fen


def borne_fen(canteen_id: int, period: str) -> int:
    """Fen the programme bears beyond the caps at a canteen, of the meals of a month."""
    first, last = clock.period_days(period)
    total = db.session.scalar(
        sa.select(sa.func.sum(Order.subsidy_fen)).where(
            Order.canteen_id == canteen_id, Order.on.between(first, last),
            Order.state != "cancelled", beyond_caps(),
        )
    )
    return int(total or 0)


def largest_limit_fen(district: str, period: str) -> int:
    """The largest limit that was in force in a district on some day of a month, in fen."""
    first, last = clock.period_days(period)
    allowed = [rule_for(district, first)]
    later = (rule for rule in rules_of(district) if rule.from_on)
    allowed += [rule for rule in later if rule.from_on and first < rule.from_on <= last]
    return max((rule.limit_fen for rule in allowed if rule.excess == "programme"), default=0)


def beyond_caps() -> sa.ColumnElement[bool]:
    """Orders whose subsidy was given beyond the caps and is borne by the programme."""
    return sa.and_(
        Order.inputs.is_not(None), Order.inputs["beyond_caps"].as_boolean().is_(True)
    )


_COLUMNS = (
    OfflineRule.per_elder, OfflineRule.per_till, OfflineRule.excess, OfflineRule.limit_fen,
    OfflineRule.from_on,
)
_IN_FORCE = (
    sa.select(*_COLUMNS)
    .where(
        OfflineRule.district_code == sa.bindparam("district", type_=sa.String),
        OfflineRule.from_on <= sa.bindparam("day", type_=sa.Date),
    )
    .order_by(OfflineRule.from_on.desc())
    .limit(1)
)
