"""A draft of a policy written by one person and published by another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from canteen import clock
from canteen.db import transaction
from canteen.subsidies import drafting
from canteen.subsidies.models import PolicyDraft
from canteen.territory.actors import Actor
from tests.factories import actor, make_user

FAR_AHEAD = date(2090, 1, 1)


def office(role: str, ground: str) -> Actor:
    """Somebody of an office."""
    with transaction():
        return actor(make_user(role, territory_code=ground))


def published(
    values: Mapping[str, int | None], role: str = "city", ground: str = "120000",
    on: date = FAR_AHEAD,
) -> PolicyDraft:  # fmt: skip
    """The policy in force with some numbers changed, from a day on."""
    one, other, today = office(role, ground), office(role, ground), clock.business_date()
    with transaction():
        draft = drafting.start(one, today)
        drafting.change(
            draft.id, one, values=values, in_force_from=on, document="津民发〔2027〕9号"
        )
        drafting.propose(draft.id, one, today)
    with transaction():
        return drafting.publish(draft.id, other, on, drafting.digest_of(draft), today)
