"""Denials that rested on a fact which is no longer so: taken up again, for people to decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.adjustments.gathering import Meal
from canteen.adjustments.judging import Change, cause_of
from canteen.canteens.models import Canteen
from canteen.checks import deciding
from canteen.checks.models import Suspicion
from canteen.checks.people import BY_FACTS
from canteen.db import db
from canteen.elders.models import FACTS, Elder
from canteen.notices.telling import tell
from canteen.territory.actors import Actor
from canteen.words import Text, day

GONE, OTHERWISE = Text("已撤回", "was withdrawn"), Text("已补记或更正", "was recorded or corrected")
WHY = Text(
    "登记的“{what}”（{since}起）{done}，按现登记这一餐可享受补贴，请重新审议",
    '"{what}" (from {since}) {done}; by the register as it stands the meal is subsidised',
)
TOLD = Text(
    "{elder}的“{what}”（{since}起）{done}：此前因资格核减的{count}餐按现登记可享受补贴，请重新审议",
    '{elder}: "{what}" (from {since}) {done}. By the register as it stands {count:meal|meals}'
    " denied before would be subsidised; please decide anew",
)


def take_up(
    denied: Sequence[tuple[Meal, Sequence[Change]]], by: Actor, at: datetime
) -> dict[int, int]:
    """Take up again what denied these meals for a fact that has changed since; {order: fact}.

    The meals stay denied until a person of the district or city decides; the district is told.
    """
    meals = {meal.order_id: (meal, changes) for meal, changes in denied}
    if not meals:
        return {}
    rows: Sequence[Any] = db.session.execute(
        sa.select(Suspicion, Canteen.district_code, Elder.name)
        .join(Canteen, Canteen.id == Suspicion.canteen_id)
        .join(Elder, Elder.id == Suspicion.elder_id)
        .where(
            Suspicion.order_id.in_(meals), Suspicion.state == "denied",
            Suspicion.code.in_(BY_FACTS),
        )
        .order_by(Suspicion.id)
    ).all()  # fmt: skip
    done: dict[int, int] = {}
    reasons: dict[int, str] = {}
    told: dict[tuple[str, int], dict[str, Any]] = {}
    for suspicion, district, elder in rows:
        meal, changes = meals[suspicion.order_id]
        since = [change for change in changes if change.at > suspicion.decided_at]
        cause = cause_of(since, meal.on, taking=False)
        if cause is None:
            continue
        said = _said(cause)
        why = WHY.format(**said)
        reasons[suspicion.id], done[meal.order_id] = f"{why.zh} / {why.en}", cause.fact_id
        about = told.setdefault((district, cause.fact_id), said | {
            "elder": elder, "orders": set(), "first": suspicion.id,
        })  # fmt: skip
        about["orders"].add(meal.order_id)
    deciding.take_up(reasons, by=by, at=at)
    for (district, fact_id), about in told.items():
        words = TOLD.format(**about, count=len(about["orders"]))
        tell(
            f"taken_up:{fact_id}:{about['first']}:{at:%Y%m%d}", "taken_up", words, at=at,
            role="district", territory=district, path=f"/bureau/findings/{about['first']}",
        )  # fmt: skip
    return done


def _said(change: Change) -> dict[str, Any]:
    return {
        "what": FACTS[change.value], "since": day(change.valid_from, year=True),
        "done": GONE if change.gone else OTHERWISE,
    }
