"""Dishes, menus of a day and meal, and the portions on them."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db
from canteen.words import Text

MARKS = {
    "soft": Text("软烂", "Soft"),
    "low_salt": Text("低盐", "Low salt"),
    "low_sugar": Text("低糖", "Low sugar"),
    "small": Text("小份", "Small portion"),
    "vegetarian": Text("素", "Vegetarian"),
    "peanut": Text("含花生", "Contains peanut"),
    "egg": Text("含蛋", "Contains egg"),
    "milk": Text("含奶", "Contains milk"),
    "seafood": Text("含海鲜", "Contains seafood"),
    "gluten": Text("含麸质", "Contains gluten"),
}


class Dish(db.Model):
    """A dish or set a canteen knows how to cook, with the price it usually has."""

    __tablename__ = "dishes"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(40))
    name_en: Mapped[str] = mapped_column(sa.String(60), default="")
    kind: Mapped[str] = mapped_column(sa.String(4))
    price_fen: Mapped[int]
    marks: Mapped[list[str]] = mapped_column(Json, default=list)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.UniqueConstraint("canteen_id", "name"),
        sa.CheckConstraint("price_fen > 0", name="price"),
        sa.CheckConstraint("kind IN ('set','dish')", name="kind"),
    )


class Menu(db.Model):
    """What one canteen offers for one meal of one day."""

    __tablename__ = "menus"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"))
    on: Mapped[date] = mapped_column(sa.Date, index=True)
    meal: Mapped[str] = mapped_column(sa.String(10))
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.UniqueConstraint("canteen_id", "on", "meal"),
        sa.CheckConstraint("meal IN ('breakfast','lunch','dinner')", name="meal"),
    )


class MenuItem(db.Model):
    """A dish on a menu: its price that day, portions cooked and portions taken."""

    __tablename__ = "menu_items"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    menu_id: Mapped[int] = mapped_column(sa.ForeignKey("menus.id"))
    dish_id: Mapped[int] = mapped_column(sa.ForeignKey("dishes.id"), index=True)
    price_fen: Mapped[int]
    portions: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)
    sold_out: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (
        sa.UniqueConstraint("menu_id", "dish_id"),
        sa.CheckConstraint("price_fen > 0", name="price"),
        sa.CheckConstraint("taken >= 0 AND taken <= portions", name="not_oversold"),
    )
