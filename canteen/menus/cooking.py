"""The dishes and sets a canteen knows how to cook: entered, priced, retired."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.canteens import finding
from canteen.canteens.models import Canteen
from canteen.db import db, insert
from canteen.errors import Conflict, NotFound, Refused
from canteen.menus.models import MARKS, Dish
from canteen.territory.actors import Actor
from canteen.words import Text

MOST_FEN = 100_000
KITCHEN = ("manager", "operator")


class BadDish(Refused):
    """One field of a dish cannot be right; `field` names it."""

    code = "bad_dish"
    text = Text("菜品信息有误", "That dish cannot be right")


class DishKnown(Conflict):
    """The canteen has a dish of that name."""

    code = "dish_known"
    text = Text("已有同名菜品“{name}”", "There is already a dish called “{name}”")


def create_dish(
    canteen_id: int,
    name: str,
    kind: str,
    price_fen: int,
    *,
    name_en: str = "",
    marks: Collection[str] = (),
    by: Actor,
) -> Dish:
    """A dish or a set the canteen cooks, at 1 to 100,000 fen. Refuses BadDish and DishKnown."""
    finding.get_for(by, canteen_id)
    by.must_be(*KITCHEN)
    name = " ".join(name.split())
    if not 1 <= len(name) <= 40 or len(name_en) > 60:
        raise BadDish(Text("菜名应为 1—40 个字", "A name has 1 to 40 characters"), field="name")
    if kind not in ("set", "dish"):
        raise BadDish(Text("应为套餐或单品", "It is a set or a dish"), field="kind")
    if not set(marks) <= set(MARKS):
        raise BadDish(Text("没有这个标记", "There is no such mark"), field="marks")
    row = {
        "canteen_id": canteen_id, "name": name, "name_en": name_en.strip(), "kind": kind,
        "price_fen": checked_price(price_fen, BadDish), "marks": [m for m in MARKS if m in marks],
    }
    made = db.session.execute(
        insert(Dish).values(row).on_conflict_do_nothing().returning(Dish.id)
    ).scalar()
    if made is None:
        raise DishKnown(field="name", name=name)
    return db.session.get_one(Dish, made)


def change_price(dish_id: int, price_fen: int, *, by: Actor) -> Dish:
    """The dish's usual price from now on; menus already published keep theirs."""
    dish = _dish_for(by, dish_id)
    before, dish.price_fen = dish.price_fen, checked_price(price_fen, BadDish)
    db.session.flush()
    detail = {"before_fen": before, "after_fen": price_fen}
    record(by.label, "change_price", "dish", dish_id, detail)
    return dish


def retire(dish_id: int, *, by: Actor, at: datetime) -> Dish:
    """The canteen no longer cooks it: it leaves the choice for new menus, not the old menus."""
    dish = _dish_for(by, dish_id)
    dish.retired_at = dish.retired_at or at
    db.session.flush()
    return dish


def checked_price(price_fen: int, refusal: type[Refused], row: int | None = None) -> int:
    """The price, if it is one a meal may have (1 to 100,000 fen); else the refusal given."""
    if not 1 <= price_fen <= MOST_FEN:
        wrong = Text("价格应在 0.01—1000.00 元之间", "A price is 0.01 to 1,000.00 yuan")
        raise refusal(wrong, field="price_fen", row=row)
    return price_fen


def _dish_for(by: Actor, dish_id: int) -> Dish:
    query = sa.select(Dish).join(Canteen, Canteen.id == Dish.canteen_id)
    dish = db.session.scalars(query.where(Dish.id == dish_id, finding.visible(by))).first()
    if dish is None:
        raise NotFound()
    by.must_be(*KITCHEN)
    return dish
