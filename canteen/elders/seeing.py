"""Who may see which elders: staff on their ground, elders and family their own, nobody else."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.db import db
from canteen.elders import ric
from canteen.elders.models import Elder
from canteen.errors import NotFound
from canteen.territory.actors import BUREAU, HOME, Actor
from canteen.territory.models import stem


def visible(by: Actor) -> sa.ColumnElement[bool]:
    """The condition on `Elder` that leaves what the actor may look through.

    The till, its manager and the operator look through nobody: they name the person before them
    (`identifying.find`). An evaluator judges canteens and sees no elders.
    """
    if by.role == "job":
        return sa.true()
    if by.role in BUREAU and by.territory:
        return on_ground(by.territory)
    if by.role in HOME and by.elder_ids:
        return Elder.id.in_(by.elder_ids)
    return sa.false()


def on_ground(territory: str) -> sa.ColumnElement[bool]:
    """Elders of a city, district or street. A range, because it can use the index everywhere."""
    inside = stem(territory)
    return Elder.street_code.between(inside, inside.ljust(9, "9"))


def get_for(by: Actor, elder_id: int, *, lock: bool = False) -> Elder:
    """The elder, for one who may see them; with `lock`, held until the act is over.

    Refuses with NotFound, as if there were no such elder.
    """
    wanted = sa.select(Elder).where(Elder.id == elder_id, visible(by))
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    elder = db.session.scalar(wanted)
    if elder is None:
        raise NotFound()
    return elder


def masked_number(elder: Elder) -> str:
    """The ID number as a page may show it: "**************1234"."""
    return ric.mask(ric.decrypt(elder.ric_cipher, elder.ric_hash))


def masked_name(name: str) -> str:
    """A name for those who need not know whose it is, and for screens others can see: 王*英."""
    return name[:1] + "*" * max(len(name) - 2, 1) + (name[-1] if len(name) > 2 else "")
