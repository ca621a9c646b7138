"""Amending a statement under review: sums, lines and books change together, and a row says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.ledger.posting import post
from canteen.money import share_out
from canteen.settlements.booking import COSTS
from canteen.settlements.models import (
    Statement,
    StatementAmendment,
    StatementLine,
    StatementStep,
)
from canteen.subsidies.models import FundingShare, purse_of
from canteen.territory.actors import Actor

Key = tuple[str, str, str]  # side, funder, whose purse
# The cause of an amendment that gives back what an earlier month's statement was docked too much.
GIVEN_BACK = "given_back"


def amend(
    statement_id: int, rows: Sequence[Mapping[str, Any]], cause: str, by: Actor, at: datetime,
    reason: str = "",
) -> StatementAmendment:
    """Add rows of grants that were just written in a statement's period to its sums.

    The caller holds the statement and has seen that it is under review.
    """
    statement = db.session.get_one(Statement, statement_id, populate_existing=True)
    to_elder = statement.payee == "elder"
    sides = {
        "elder_fen": 0 if to_elder else _sum(rows, "till_fen"),
        "account_fen": _sum(rows, "account_fen") if to_elder else 0,
        "enterprise_fen": 0 if to_elder else _sum(rows, "enterprise_fen"),
        "delivery_fen": 0 if to_elder else _sum(rows, "delivery_fen"),
    }
    lines = _lines(statement, rows)
    meals = sum(row["sign"] for row in rows)
    return _change(statement, meals, sides, 0, lines, cause, by, at, reason)


def deduct(
    statement: Statement, fen: int, cause: str, by: Actor, at: datetime, reason: str,
    cause_id: int | None = None,
) -> StatementAmendment:  # fmt: skip
    """Take a sum (fen, above nothing) off a canteen's statement that no single meal accounts for.

    The funders get it back in the proportion of what they pay of the statement, to the fen.
    """
    lines = {
        (line.side, line.funder, line.territory_code): line.amount_fen
        for line in db.session.scalars(
            sa.select(StatementLine).where(
                StatementLine.statement_id == statement.id, StatementLine.side != "deduction",
                StatementLine.amount_fen != 0,
            )
        )
    }
    # Where earlier months' clawbacks ate every line, those they ate bear it in that proportion.
    paid = {key: amount for key, amount in lines.items() if amount > 0} or {
        key: -amount for key, amount in lines.items()
    }
    shares: Counter[Key] = Counter()
    for (_, funder, purse), amount in paid.items():
        shares["deduction", funder, purse] += amount
    split = {key: (0, -part) for key, part in _split(fen, shares).items()}
    return _change(statement, 0, {}, -fen, split, cause, by, at, reason, cause_id)


def undo_deduction(
    statement: Statement, cause: str, by: Actor, at: datetime, reason: str,
    cause_id: int | None = None,
) -> StatementAmendment:  # fmt: skip
    """Undo what `deduct` took off a statement, each funder's part exactly as it was taken."""
    taken = deducted_of(statement)
    split = {key: (0, fen) for key, fen in taken.items()}
    return _change(
        statement, 0, {}, sum(taken.values()), split, cause, by, at, reason, cause_id
    )


def give_back(
    statement: Statement, fen: int, taken: Mapping[Key, int], by: Actor, at: datetime,
    reason: str, cause_id: int,
) -> StatementAmendment:  # fmt: skip
    """Give back with this statement a part (fen) of what was `taken` off an earlier one, to the
    funders' account in the proportion they had it then."""
    split = {key: (0, part) for key, part in _split(fen, taken).items()}
    return _change(statement, 0, {}, fen, split, GIVEN_BACK, by, at, reason, cause_id)


def deducted_of(statement: Statement) -> dict[Key, int]:
    """What `deduct` took off a statement by funder (fen, above nothing), without what it gave
    back of earlier months."""
    taken: Counter[Key] = Counter()
    for line in db.session.scalars(
        sa.select(StatementLine).where(
            StatementLine.statement_id == statement.id, StatementLine.side == "deduction"
        )
    ):
        taken[line.side, line.funder, line.territory_code] -= line.amount_fen
    for lines in db.session.scalars(
        sa.select(StatementAmendment.lines).where(
            StatementAmendment.statement_id == statement.id, StatementAmendment.cause == GIVEN_BACK
        )
    ):
        for side, funder, purse, _, fen in lines:
            taken[side, funder, purse] += fen
    return {key: fen for key, fen in taken.items() if fen}


def amendments_of(statement_id: int) -> list[StatementAmendment]:
    """Every change of a statement's sums, the oldest first."""
    return list(
        db.session.scalars(
            sa.select(StatementAmendment)
            .where(StatementAmendment.statement_id == statement_id)
            .order_by(StatementAmendment.id)
        )
    )


def changing_sums(statement_id: int) -> list[StatementAmendment]:
    """Those that changed a sum, and denials of what was held at closing already; a meal priced
    again to the same sums is no news to a reader of sums."""
    return [
        one for one in amendments_of(statement_id)
        if one.total_after_fen != one.total_before_fen or one.cause == "denied"
    ]  # fmt: skip


def _split(fen: int, shares: Mapping[Key, int]) -> dict[Key, int]:
    """A sum dealt out to the funders in proportion, to the fen."""
    keys = sorted(shares)
    parts = share_out(fen, [shares[key] for key in keys])
    return {key: part for key, part in zip(keys, parts, strict=True) if part}


def _sum(rows: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)


def _lines(
    statement: Statement, rows: Sequence[Mapping[str, Any]]
) -> dict[Key, tuple[int, int]]:
    """What the rows change for each funder: {(side, funder, purse): (meals, fen)}."""
    meals: Counter[int] = Counter()
    to_account = {}
    for row in rows:
        meals[row["funding_id"]] += row["sign"]
        to_account[row["funding_id"]] = bool(row["account_fen"])
    shares = db.session.execute(
        sa.select(FundingShare, purse_of(statement.district_code, statement.street_code))
        .where(FundingShare.funding_id.in_(list(meals)))
    )
    changed: dict[Key, tuple[int, int]] = {}
    for share, purse in shares:
        mine = share.side == "elder" and to_account[share.funding_id]
        if mine != (statement.payee == "elder"):
            continue
        key = (share.side, share.funder, purse)
        count, fen = changed.get(key, (0, 0))
        number = meals[share.funding_id]
        changed[key] = (count + number, fen + number * share.amount_fen)
    return changed


def _change(
    statement: Statement, meals: int, sides: Mapping[str, int], deducted: int,
    lines: Mapping[Key, tuple[int, int]], cause: str, by: Actor, at: datetime, reason: str,
    cause_id: int | None = None,
) -> StatementAmendment:  # fmt: skip
    before = statement.total_fen
    after = before + sum(sides.values()) + deducted
    for name, fen in sides.items():
        setattr(statement, name, getattr(statement, name) + fen)
    statement.meals += meals
    statement.deducted_fen += deducted
    statement.total_fen = after
    _change_lines(statement, lines)
    amendment = StatementAmendment(
        statement_id=statement.id, cause=cause, cause_id=cause_id, reason=reason[:400],
        meals=meals,
        elder_fen=sides.get("elder_fen", 0), account_fen=sides.get("account_fen", 0),
        enterprise_fen=sides.get("enterprise_fen", 0), delivery_fen=sides.get("delivery_fen", 0),
        deducted_fen=deducted, total_before_fen=before, total_after_fen=after,
        lines=[[*key, *value] for key, value in sorted(lines.items())],
        by_user_id=by.user_id, by_label=by.label, at=at,
    )  # fmt: skip
    db.session.add(amendment)
    db.session.add(
        StatementStep(
            statement_id=statement.id, stage=statement.stage, verdict="amended",
            to_stage=statement.stage, by_user_id=by.user_id, by_label=by.label,
            reason=reason[:400], at=at,
        )
    )
    db.session.flush()
    _post(statement, amendment, sides, deducted, lines, at)
    return amendment


def _change_lines(statement: Statement, lines: Mapping[Key, tuple[int, int]]) -> None:
    known = {
        (line.side, line.funder): line
        for line in db.session.scalars(
            sa.select(StatementLine).where(StatementLine.statement_id == statement.id)
        )
    }
    for (side, funder, purse), (meals, fen) in lines.items():
        line = known.get((side, funder))
        if line is None:
            line = known[side, funder] = StatementLine(
                statement_id=statement.id, side=side, funder=funder, territory_code=purse,
                meals=0, amount_fen=0,
            )
            db.session.add(line)
        line.meals += meals
        line.amount_fen += fen


def _post(
    statement: Statement, amendment: StatementAmendment, sides: Mapping[str, int], deducted: int,
    lines: Mapping[Key, tuple[int, int]], at: datetime,
) -> None:  # fmt: skip
    """The difference, as closing would have posted it; a deduction is lost by the canteen."""
    book = f"canteen:{statement.canteen_id}" if statement.payee == "canteen" else "elders"
    elder, account = sides.get("elder_fen", 0), sides.get("account_fen", 0)
    earned = sides.get("enterprise_fen", 0) + sides.get("delivery_fen", 0)
    legs: Counter[tuple[str, str]] = Counter()
    legs[book, "statement_due"] += elder + account + earned + deducted
    legs[book, "subsidy_due"] -= elder
    legs[book, "enterprise_income"] -= earned
    legs[book, "account_subsidy_income"] -= account
    legs[book, "denied_subsidy"] -= deducted
    for (side, _, purse), (_, fen) in lines.items():
        legs[f"purse:{purse}", COSTS[side]] += fen
        legs[f"purse:{purse}", "statements_payable"] -= fen
    post(
        f"close:{statement.id}:{amendment.id}", "amendment", clock.business_date(at),
        {leg: fen for leg, fen in legs.items() if fen}, memo=f"close:{statement.id}",
    )
