"""Which subsidies the checks look at: given with a meal, and not lost since."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.subsidies.models import Grant

# Given once more for a meal that was looked at when it was given first.
GIVEN_AGAIN = ("released", "upheld")
STAKE_FEN = Grant.till_fen + Grant.account_fen + Grant.enterprise_fen + Grant.delivery_fen


def standing(ends: tuple[int, int] | None = None) -> list[Any]:
    """The conditions on Grant. What is only held for a decision is looked at all the same, else
    what was found of it would be cleared by the holding itself. `ends`: between which numbers the
    orders lie, where that is known, so that no older ones need be read."""
    after = aliased(Grant)
    lost = sa.exists().where(
        after.order_id == Grant.order_id, after.number == Grant.number + 1, after.cause != "held",
        *([after.order_id.between(*ends)] if ends else []),
    )
    return [Grant.sign == 1, Grant.cause.not_in(GIVEN_AGAIN), ~lost]
