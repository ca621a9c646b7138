"""Which subsidies the checks look at: given with a meal, and not lost since."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.subsidies.models import Grant, is_last

# Given once more for a meal that was looked at when it was given first.
GIVEN_AGAIN = ("released", "upheld")


def standing(ends: tuple[int, int] | None = None) -> list[Any]:
    """The conditions on Grant that give each order once whose subsidy stands or is only held for a
    decision: of its rows the last that gave it anew.

    What is held is looked at all the same, else what was found of it would be cleared by the
    holding itself. `ends`: between which numbers the orders lie, where that is known, so that no
    older ones need be read.
    """
    after = aliased(Grant)
    anew = (after.sign == 1) & after.cause.not_in(GIVEN_AGAIN)
    lost = (after.sign == -1) & (after.cause != "held") & is_last(after)
    # Few orders have a second row at all: to say so lets PostgreSQL look at those alone.
    answered = sa.exists().where(
        after.order_id == Grant.order_id, after.number > Grant.number, after.number > 1,
        anew | lost, *([after.order_id.between(*ends)] if ends else []),
    )
    return [Grant.sign == 1, Grant.cause.not_in(GIVEN_AGAIN), ~answered]
