"""Posting a closed shift: its cash goes to the safe, what is over or short is said so."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.ledger.chart import canteen_book
from canteen.ledger.posting import post
from canteen.tills.models import CashMove, Shift, Till

# Where cash paid in came from and cash paid out went to, by its reason.
SAFE = ("change_in", "to_safe")


def book(shift: Shift) -> int | None:
    """Write the entry "shift:<id>" of a closed shift; None when no sum of it is other than nought.

    What the shift sold and gave back stands in `till_cash` by day posting. So this entry adds
    the float and what was put in, takes off what was taken out and what was counted, and the
    difference of the count: nothing of the shift remains in the till. The count goes to the
    safe whole; what is left in the drawer comes out of it again as the next float.
    """
    assert shift.counted_fen is not None and shift.over_fen is not None and shift.closed_at
    into_safe, into_petty = _moved(shift.id)
    legs = {
        "till_cash": shift.float_fen - into_safe - into_petty + shift.over_fen - shift.counted_fen,
        "safe": into_safe + shift.counted_fen - shift.float_fen,
        "petty_cash": into_petty,
        "cash_over_short": -shift.over_fen,
    }
    if not any(legs.values()):
        return None
    of = canteen_book(shift.canteen_id)
    name = db.session.scalar(sa.select(Till.name).where(Till.id == shift.till_id))
    return post(
        f"shift:{shift.id}", "shift", clock.business_date(shift.closed_at),
        {(of, code): fen for code, fen in legs.items()}, memo=f"{name} · {shift.number}",
    )


def _moved(shift_id: int) -> tuple[int, int]:
    """Fen that went out of the drawer, less what came in: to the safe, and for anything else."""
    out = out_of_drawer()
    safe = CashMove.reason_code.in_(SAFE)
    row = db.session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((safe, out), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((safe, 0), else_=out)), 0),
        ).where(CashMove.shift_id == shift_id)
    ).one()
    return int(row[0]), int(row[1])


def out_of_drawer() -> Any:
    """The fen a cash move took out of the drawer by hand; below nothing when it put them in."""
    return sa.case(
        (CashMove.kind == "paid_out", CashMove.fen), (CashMove.kind == "paid_in", -CashMove.fen),
        else_=0,
    )  # fmt: skip
