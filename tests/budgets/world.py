"""A settled October of two districts, with people of the city to true up by."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from canteen.db import transaction
from canteen.payments.models import OutboxMessage
from canteen.payouts import arriving
from canteen.performance.models import Inspection
from canteen.settlements.models import Statement
from tests.factories import City, actor, make_user
from tests.settlements.factories import (
    AFTER,
    JOB,
    at_noon,
    close,
    little_month,
    pass_on,
    pay_all,
    statement_of,
)

NEW_YEAR = date(2027, 1, 4)


def settled_october() -> City:
    """October closed, approved by every office and paid, in both districts."""
    city = little_month()
    close()
    for name, canteen in (("hands", city.here), ("hands_elsewhere", city.elsewhere)):
        pass_on([statement_of(canteen).id], city.extra[name])
    own = statement_of(elder_id=city.extra["second"].id)
    pass_on([own.id], city.extra["hands"])
    pay_all()
    sent = sa.literal("tr_") + sa.cast(OutboxMessage.id, sa.String)
    with transaction() as session:
        session.execute(
            sa.update(OutboxMessage).where(OutboxMessage.kind == "transfer")
            .values(state="done", provider_id=sent)
        )  # fmt: skip
    with transaction():
        arriving.record_results(by=JOB, at=at_noon(AFTER))
    with transaction():
        city.extra["checker"] = actor(make_user("city", territory_code="120000"))
    city.extra["maker"] = city.extra["hands"].city
    return city


def share_of(*statements: Statement) -> int:
    """The city's half of these statements, in fen."""
    return sum(
        (one.elder_fen + one.account_fen + one.enterprise_fen + one.delivery_fen) // 2
        for one in statements
    )


def evaluated(city: City, on: date = date(2026, 11, 20)) -> None:
    """Both canteens visited by an evaluator."""
    with transaction() as session:
        evaluator = make_user("evaluator", territory_code="120104")
        for canteen in (city.here, city.elsewhere):
            session.add(
                Inspection(
                    canteen_id=canteen.id, scheme="test", on=on, evaluator_id=evaluator.id,
                    submitted_at=at_noon(on),
                )
            )
