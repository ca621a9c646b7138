"""Which enterprises an office answers for: by the canteens that got their sign on its ground."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.canteens.finding import visible
from canteen.canteens.models import Canteen, ListingChange
from canteen.territory.actors import Actor


def operators_of(actor: Actor) -> sa.Select[tuple[int]]:
    """The enterprises with a canteen on this ground that was ever listed.

    An application alone reaches nobody who is listed elsewhere: any office may write one, with
    anybody's code. An enterprise never listed anywhere is reached by where it applies.
    """
    other = sa.alias(Canteen.__table__)
    listed = sa.exists().where(other.c.operator_id == Canteen.operator_id, _had_its_sign(other.c))
    return sa.select(Canteen.operator_id).where(
        visible(actor), sa.or_(_had_its_sign(Canteen), ~listed)
    )


def _had_its_sign(canteen: Any) -> sa.ColumnElement[bool]:
    """Whether the sign hangs or hung; one taken down may be that of an application given up."""
    hung = sa.exists().where(
        ListingChange.canteen_id == canteen.id, ListingChange.to_status == "listed"
    )
    return sa.or_(canteen.status.in_(("listed", "warned", "suspended")), hung)
