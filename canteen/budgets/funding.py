"""The money set aside in a purse for a year: the budget, and each supplement or cut."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.budgets.models import Fund
from canteen.db import db
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.money import yuan
from canteen.territory.actors import Actor
from canteen.territory.models import Territory
from canteen.words import Text

FIRST_YEAR = 2019  # the programme's first


class BadFund(Refused):
    """A sum of nothing, or a year that is none."""

    code = "bad_fund"
    text = Text("请填写金额和年份", "Enter a sum and a year")


class NotedMeanwhile(Conflict):
    """Something was noted for this purse and year since the form was opened."""

    code = "fund_noted_meanwhile"
    text = Text(
        "打开这一页之后，这笔资金刚登记过 {sum} 元，没有再记一次。确实还要登记的，请再办一次",
        "{sum} yuan were noted for this purse since the page was opened; nothing was noted again."
        " If one more is meant, send it once more",
    )


class BelowNothing(Refused):
    """A cut of more than there is."""

    code = "fund_below_nothing"
    text = Text("只有 {sum} 元，不能减这么多", "There are only {sum} yuan to cut from")


def set_aside(
    territory_code: str, year: int, amount_fen: int, note: str, by: Actor, at: datetime, *,
    seen: int | None = None,
) -> Fund:  # fmt: skip
    """Add a sum (fen; below nothing for a cut) to a purse's money of a year.

    The city sets every purse, a district its own and its streets'. `seen` is the number of the
    latest fund there was when the form was opened. Refuses NotFound (not on the actor's ground),
    BadFund, NotedMeanwhile, BelowNothing.
    """
    if by.role not in ("district", "city"):
        raise Forbidden()
    # Held until the act ends: of two cuts at once the second sees what the first has left.
    purse = db.session.get(Territory, territory_code, with_for_update=True)
    if purse is None or not by.reaches(territory_code):
        raise NotFound()
    if not amount_fen or not FIRST_YEAR <= year <= at.year + 2:
        raise BadFund(field="amount")
    if seen is not None and (since := history(territory_code, year)) and since[-1].id > seen:
        raise NotedMeanwhile(sum=yuan(since[-1].amount_fen))
    before = budgets(year).get(territory_code, 0)
    if before + amount_fen < 0:
        raise BelowNothing(field="amount", sum=yuan(before))
    fund = Fund(
        territory_code=territory_code, year=year, amount_fen=amount_fen,
        note=note.strip()[:200], set_by=by.label, set_at=at,
    )
    db.session.add(fund)
    db.session.flush()
    record(by.label, "set_fund", "purse", territory_code,
           {"year": year, "amount_fen": amount_fen})  # fmt: skip
    return fund


def latest() -> int:
    """The number of the latest fund anybody noted."""
    return db.session.scalar(sa.select(sa.func.max(Fund.id))) or 0


def budgets(year: int) -> dict[str, int]:
    """The money of every purse for a year, in fen."""
    rows = db.session.execute(
        sa.select(Fund.territory_code, sa.func.sum(Fund.amount_fen))
        .where(Fund.year == year).group_by(Fund.territory_code)
    )  # fmt: skip
    return {code: int(fen) for code, fen in rows}


def history(territory_code: str, year: int) -> list[Fund]:
    """The budget of a purse and what was added and cut, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(Fund)
            .where(Fund.territory_code == territory_code, Fund.year == year)
            .order_by(Fund.id)
        )
    )
