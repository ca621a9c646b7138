"""Territories: the city, its districts and their streets, each inside its parent by its code."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import db
from canteen.words import Text

LEVELS = {6: "district", 9: "street"}
# 北京, 天津, 上海, 重庆: districts lie directly below a code that ends in four noughts.
MUNICIPALITIES = ("11", "12", "31", "50")


class Territory(db.Model):
    """A city ("120000"), district ("120103") or street ("120103001", GB/T 2260 + GB/T 10114)."""

    __tablename__ = "territories"
    code: Mapped[str] = mapped_column(sa.String(9), primary_key=True)
    level: Mapped[str] = mapped_column(sa.String(8))
    parent_code: Mapped[str | None] = mapped_column(sa.ForeignKey("territories.code"), index=True)
    name_zh: Mapped[str] = mapped_column(sa.String(40))
    name_en: Mapped[str] = mapped_column(sa.String(60))
    __table_args__ = (
        sa.CheckConstraint("level IN ('city','district','street')", name="level"),
    )

    @property
    def name(self) -> Text:
        """The name in both languages."""
        return Text(self.name_zh, self.name_en)


def city_of(code: str) -> str:
    """The city a code lies in: "120103001" → "120000", "440106" → "440100"."""
    return code[:2] + "0000" if code[:2] in MUNICIPALITIES else code[:4] + "00"


def level_of(code: str) -> str:
    """The level a code stands for: "city", "district" or "street"."""
    return "city" if code == city_of(code) else LEVELS[len(code)]


def stem(code: str) -> str:
    """What every code inside this territory starts with: "12", "4401", "120103", "120103001"."""
    if level_of(code) != "city":
        return code
    return code[:2] if code[:2] in MUNICIPALITIES else code[:4]


def within(inner: str | None, outer: str) -> bool:
    """Whether one territory lies inside another (or is it)."""
    return bool(inner) and str(inner).startswith(stem(outer))


def chain_of(street_code: str) -> dict[str, str]:
    """The three territories above a street: {"street": …, "district": …, "city": …}."""
    return {
        "street": street_code,
        "district": street_code[:6],
        "city": city_of(street_code),
    }
