"""What the sales of a journal become: orders, asked for while the till waits, or kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.db import db
from canteen.elders import cards
from canteen.errors import Conflict, Forbidden, Refused
from canteen.orders import keeping, placing
from canteen.orders.cancelling import cancel
from canteen.orders.finding import get_for
from canteen.orders.remaining import cash_held
from canteen.orders.wishing import Wish
from canteen.territory.actors import Actor
from canteen.tills import allowance, ruling, shifts
from canteen.tills.entries import Close, Move, Open, Sale, Void
from canteen.tills.models import TillEntry
from canteen.tills.timing import meal_day
from canteen.words import Text

RECOUNTS = 2  # counts that may differ before a manager is told: the first, and once more


class UnknownCashier(Forbidden):
    """Whoever made the entry does not work at this canteen, or no longer."""

    code = "unknown_cashier"
    text = Text(
        "收银员不属于这家食堂或已停用", "The cashier is not of this canteen, or is disabled"
    )


class UnknownShift(Conflict):
    """The entry is of a shift the server does not know, or that was closed before."""

    code = "unknown_shift"
    text = Text("还没有开班，或这一班已经交班", "No such shift is open at this till")


class NothingToVoid(Refused):
    """The number sold nothing that could be taken back."""

    code = "nothing_to_void"
    text = Text("这个编号没有可作废的销售", "Nothing was sold under this number")


class NotYours(Forbidden):
    """A cashier takes back only what they sold themselves, in the shift that is still open."""

    code = "not_your_sale"
    text = Text(
        "只能作废自己在本班的销售，其他的请经理办理",
        "You can take back your own sales of this shift; the manager does the others",
    )


@dataclass(frozen=True)
class Act:
    """One entry about to be carried out.

    `known`: the cashier works here. `shift_id` is the shift it names, `shift_open` whether that
    is open. `live`: the tablet waits for the answer and nothing has been handed over yet.
    """

    till_id: int
    canteen_id: int
    number: int
    by: Actor
    known: bool
    shift_number: int | None
    shift_id: int | None
    shift_open: bool
    live: bool
    made_at: datetime
    received_at: datetime


@dataclass
class Done:
    """What became of an entry; `drawer` is what a closed shift's count came to."""

    order_id: int | None = None
    state: str | None = None
    charge_id: int | None = None
    parts: dict[str, int] | None = None
    bearer: str | None = None
    shift_id: int | None = None
    drawer: dict[str, int | None] | None = None
    notes: list[str] = field(default_factory=list)


def carry_out(act: Act, said: Any) -> Done:
    """Do what an entry says. Refuses what its room refuses; a kept sale only an unknown dish."""
    if act.live and not act.known:
        raise UnknownCashier(field="cashier")
    if isinstance(said, Sale):
        return _sell(act, said) if act.live else _keep(act, said)
    if isinstance(said, Open):
        return _open(act, said)
    if isinstance(said, Void):
        return _void(act, said)
    if isinstance(said, (Move, Close)):
        return _move(act, said) if isinstance(said, Move) else _close(act, said)
    return Done(shift_id=act.shift_id)


def _sell(act: Act, said: Sale) -> Done:
    """A sale while the till waits: placed like any order, at the price that was shown."""
    shift_id = _open_shift_of(act)
    elder_id, notes = _diner(said)
    wish = Wish(
        canteen_id=act.canteen_id, on=said.on, meal=said.meal, service=said.service,
        lines={item: quantity for item, quantity, _ in said.lines}, elder_id=elder_id,
        payment=said.paid_by, channel="till", expected_payable_fen=said.payable_fen,
        serve_now=said.paid_by == "cash", to_account=said.to_account or said.elder != elder_id,
        cash_fen=said.cash_fen,
    )
    placed = placing.place(wish, act.by, act.received_at)
    found = placed.priced.quote
    parts = {
        "list_fen": found.list_fen, "discount_fen": found.discount_fen,
        "subsidy_fen": found.subsidy_fen, "account_fen": found.account_fen,
        "payable_fen": found.payable_fen, "cash_fen": said.cash_fen, "excess_fen": 0,
    }
    return Done(
        placed.order_id, placed.state, placed.charge_id, parts, shift_id=shift_id, notes=notes
    )


def _keep(act: Act, said: Sale) -> Done:
    """A sale that has happened: taken in as it is."""
    elder_id, notes = _diner(said)
    on = meal_day(said.on, act.made_at)
    sale = keeping.Kept(
        canteen_id=act.canteen_id, on=on, meal=said.meal, service=said.service,
        lines={item: (quantity, unit) for item, quantity, unit in said.lines},
        payable_fen=said.payable_fen, subsidy_fen=said.subsidy_fen, made_at=act.made_at,
        elder_id=elder_id, payment=said.paid_by, cash_fen=said.cash_fen,
        to_account=said.to_account,
    )

    beyond = bool(said.subsidy_fen) and allowance.beyond(
        act.till_id, act.canteen_id, act.number, said.elder, on, act.made_at
    )

    def programme_bears(district: str, fen: int) -> bool:
        # What the district did not allow the till to give, its canteen answers for.
        return not beyond and ruling.programme_bears(district, act.canteen_id, on, fen)

    taken = keeping.keep(sale, act.by, act.received_at, programme_bears)
    found = taken.priced.quote
    parts = {
        "list_fen": found.list_fen, "discount_fen": found.discount_fen + taken.excess_fen,
        "subsidy_fen": found.subsidy_fen, "account_fen": found.account_fen,
        "payable_fen": said.payable_fen, "cash_fen": said.cash_fen,
        "excess_fen": taken.excess_fen,
    }
    notes += taken.notes + _who(act)
    if beyond:
        notes.append("over_allowance")
    if not act.shift_open:  # its count is final, or there never was one
        notes.append("unknown_shift" if act.shift_id is None else "shift_closed")
    shift_id = act.shift_id if act.shift_open else None
    return Done(
        taken.order_id, taken.state, taken.charge_id, parts, taken.bearer, shift_id=shift_id,
        notes=notes,
    )


def _diner(said: Sale) -> tuple[int | None, list[str]]:
    """Who ate: the elder the till knew, or the holder of a card it did not know."""
    if said.elder is not None or said.card is None:
        return said.elder, []
    try:
        holder = cards.holder(said.card)
    except cards.CardLost:
        return None, ["card_lost"]
    except cards.BadCardNumber:
        holder = None
    return holder, [] if holder else ["unknown_card"]


def _open(act: Act, said: Open) -> Done:
    if act.by.user_id is None or act.shift_number is None:
        raise UnknownCashier(field="cashier") if act.shift_number else UnknownShift(field="shift")
    shift_id = shifts.open_shift(
        act.till_id, act.canteen_id, act.shift_number, act.by.user_id, said.float_fen, act.made_at
    )
    return Done(shift_id=shift_id, notes=_who(act))


def _move(act: Act, said: Move) -> Done:
    shift_id = _open_shift_of(act)
    reason = _words(said.reason)
    shifts.move(
        shift_id, said.fen, said.reason_code, reason, act.by, act.made_at, kept=not act.live
    )
    return Done(shift_id=shift_id, notes=_who(act))


def _close(act: Act, said: Close) -> Done:
    shift_id = _open_shift_of(act)
    recounted = ["recounted"] if _refused_counts(shift_id) > RECOUNTS else []
    shift = shifts.close_shift(
        shift_id, said.count, said.counted_fen, _words(said.reason), said.left_fen,
        act.by, act.made_at, kept=not act.live,
    )
    drawer = {
        "shift_id": shift_id, "expected_fen": shift.expected_fen, "over_fen": shift.over_fen,
    }
    return Done(shift_id=shift_id, drawer=drawer, notes=_who(act) + recounted)


def _refused_counts(shift_id: int) -> int:
    """How many counts of a shift did not agree. The count is blind: whoever tries sums until one
    is taken without a word learns what should be there."""
    bodies = db.session.scalars(
        sa.select(TillEntry.body).where(
            TillEntry.shift_id == shift_id, TillEntry.kind == "withdrawn"
        )
    )
    wanted = f'"{shifts.ReasonNeeded.code}"'
    return sum(wanted in body for body in bodies)


def _void(act: Act, said: Void) -> Done:
    """Take a sale of this till back whole; its cash leaves the drawer of the shift open now.

    Rights: a cashier their own sale in the same open shift, a manager any.
    """
    if not act.known:
        raise UnknownCashier(field="cashier")
    shift_id = _open_shift_of(act)
    sale = db.session.execute(_SOLD, {"till": act.till_id, "of": said.of}).first()
    if sale is None or sale.order_id is None or said.of >= act.number:
        raise NothingToVoid(field="of")
    own = sale.cashier_id == act.by.user_id and sale.shift_id == shift_id
    if act.by.role != "manager" and not own:
        raise NotYours()
    reason = _words(said.reason)
    cancel(sale.order_id, said.reason_code, reason, by=act.by, at=act.made_at)
    back_fen = cash_held(get_for(act.by, sale.order_id))
    shifts.refunded(act.till_id, sale.order_id, back_fen, act.by, act.made_at)
    return Done(sale.order_id, "cancelled", shift_id=shift_id)


def _open_shift_of(act: Act) -> int:
    if act.shift_id is None or not act.shift_open:
        raise UnknownShift(field="shift")
    return act.shift_id


def _words(reason: str) -> str:
    """A reason as the records hold it: nothing is refused for being told at length."""
    return reason.replace("\0", "").strip()[: shifts.MOST_REASON]


def _who(act: Act) -> list[str]:
    return [] if act.known else ["unknown_cashier"]


_SOLD = (
    sa.select(TillEntry.order_id, TillEntry.cashier_id, TillEntry.shift_id)
    .where(
        TillEntry.till_id == sa.bindparam("till", type_=TillEntry.till_id.type),
        TillEntry.number == sa.bindparam("of", type_=sa.Integer), TillEntry.kind == "sale",
    )
)  # fmt: skip
