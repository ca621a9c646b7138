"""A diner's stars for a meal they had: once for an order, and only for their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from canteen.db import changed, db, insert
from canteen.errors import Conflict, NotFound, Refused
from canteen.orders.models import Order
from canteen.performance.models import Rating
from canteen.territory.actors import HOME, Actor
from canteen.words import Text

MOST_COMMENT = 200


class NotServedYet(Refused):
    """Only a meal that was served can be rated."""

    code = "not_served_yet"
    text = Text("取餐后才能评价", "You can rate a meal once you have had it")


class AlreadyRated(Conflict):
    """The order has its rating."""

    code = "already_rated"
    text = Text("这一餐您已经评价过了", "You have already rated this meal")


class BadRating(Refused):
    """One gives one to five stars and at most 200 characters."""

    code = "bad_rating"
    text = Text("请选择 1—5 颗星，留言最多 200 字", "Give 1 to 5 stars and at most 200 characters")


@dataclass(frozen=True)
class Stars:
    """How many rated a canteen, and the mean in hundredths of a star (None without any)."""

    ratings: int
    mean_hundredths: int | None


def rate(order_id: int, stars: int, comment: str = "", *, by: Actor, on: date) -> None:
    """A diner (or their family) rates one of their own served orders, once.

    Refuses BadRating, NotServedYet and AlreadyRated; somebody else's order is NotFound.
    """
    order = db.session.get(Order, order_id)
    if order is None or by.role not in HOME or order.elder_id not in by.elder_ids:
        raise NotFound()
    if order.state != "served":
        raise NotServedYet()
    if isinstance(stars, bool) or not 1 <= stars <= 5:
        raise BadRating(field="stars")
    if len(comment.strip()) > MOST_COMMENT:
        raise BadRating(field="comment")
    row = {
        "order_id": order_id, "canteen_id": order.canteen_id, "stars": stars,
        "comment": comment.strip(), "on": on,
    }  # fmt: skip
    done = db.session.execute(insert(Rating).values(row).on_conflict_do_nothing())
    if changed(done) != 1:
        raise AlreadyRated()


def rating_of(order_id: int) -> Rating | None:
    """The rating of an order, if it has one."""
    return db.session.get(Rating, order_id)


def stars_of(canteen_id: int, since: date) -> Stars:
    """How a canteen was rated from a day on."""
    query = sa.select(sa.func.count(), sa.func.sum(Rating.stars)).where(
        Rating.canteen_id == canteen_id, Rating.on >= since
    )
    count, stars = db.session.execute(query).one()
    return Stars(count, int(stars) * 100 // count if count else None)


def comments_of(canteen_id: int, limit: int = 20) -> Sequence[Rating]:
    """The latest ratings of a canteen that say something in words."""
    query = sa.select(Rating).where(Rating.canteen_id == canteen_id, Rating.comment != "")
    latest = query.order_by(Rating.on.desc(), Rating.order_id.desc())
    return db.session.scalars(latest.limit(limit)).all()
