"""Checks of the ledger: every entry balances, and the books say what orders and statements say."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.ledger.balances import unbalanced
from canteen.ledger.models import Account, Entry, Posting
from canteen.money import yuan
from canteen.orders.models import Cancellation, Order, OrderRefund
from canteen.settlements.models import Payout, Statement, StatementLine
from canteen.subsidies.models import LOST, Grant
from canteen.verifying.findings import Check, Found, differences, stream, text_of
from canteen.words import Text

SHOULD = Text(
    "应为 {expected} 元，账上为 {actual} 元", "should be {expected} yuan, the books say {actual}"
)


def entries_balance() -> Found:
    """Debits and credits of every book of every entry cancel out."""
    for key, book, fen in unbalanced():
        yield f"entry {key}", Text(
            "账簿 {book} 借贷相差 {sum} 元", "book {book} is out of balance by {sum} yuan"
        ).format(book=book, sum=yuan(fen))


def tills_in_books() -> Found:
    """Every booked order, refund and cancellation is in the books, by canteen, day and account."""
    sums = {
        "till_cash": Order.cash_fen, "online_due": Order.payable_fen - Order.cash_fen,
        "subsidy_due": Order.subsidy_fen, "own_discount": Order.discount_fen,
        "meal_sales": -Order.list_fen,
    }
    of_dishes = {
        "till_cash": OrderRefund.cash_fen,
        "online_due": OrderRefund.payable_fen - OrderRefund.cash_fen,
        "subsidy_due": sa.literal(0), "own_discount": OrderRefund.discount_fen,
        "meal_sales": -OrderRefund.list_fen,
    }
    sold = (
        sa.select(
            Order.canteen_id, Order.paid_on.label("on"),
            *(sa.func.sum(fen).label(code) for code, fen in sums.items()),
        )
        .where(Order.booked_in.is_not(None))
        .group_by(Order.canteen_id, Order.paid_on)
        .cte("sold")  # named once, so that the orders are read once
    )
    undone = (
        sa.select(
            Order.canteen_id, Cancellation.on,
            *((-sa.func.sum(fen)).label(code) for code, fen in sums.items()),
        )
        .join(Order, Order.id == Cancellation.order_id)
        .where(Cancellation.booked_in.is_not(None))
        .group_by(Order.canteen_id, Cancellation.on)
        .cte("undone")
    )
    refunded = (
        sa.select(
            Order.canteen_id, OrderRefund.on,
            *((-sa.func.sum(fen)).label(code) for code, fen in of_dishes.items()),
        )
        .join(Order, Order.id == OrderRefund.order_id)
        .where(OrderRefund.booked_in.is_not(None))
        .group_by(Order.canteen_id, OrderRefund.on)
        .cte("refunded")
    )
    not_twice = (  # a cancellation takes back only what the refunds before it had left
        sa.select(
            Order.canteen_id, Cancellation.on,
            *(sa.func.sum(fen).label(code) for code, fen in of_dishes.items()),
        )
        .join(Order, Order.id == Cancellation.order_id)
        .join(OrderRefund, OrderRefund.order_id == Order.id)
        .where(Cancellation.booked_in.is_not(None))
        .group_by(Order.canteen_id, Cancellation.on)
        .cte("not_twice")
    )
    parts = (sold, undone, refunded, not_twice)
    expected = [
        sa.select(
            (sa.literal("canteen:") + text_of(part.c.canteen_id)).label("book"),
            sa.literal(code).label("code"), part.c.on.label("on"), part.c[code].label("amount"),
        )
        for part in parts
        for code in sums
    ]
    expected += [
        sa.select(
            sa.literal("platform").label("book"), sa.literal(code).label("code"),
            part.c.on.label("on"), (sign * part.c.online_due).label("amount"),
        )
        for part in parts
        for code, sign in (("provider_balance", 1), ("due_to_canteens", -1))
    ]
    actual = _posted(Entry.on.label("on"), kinds=("day",)).group_by(
        Account.book, Account.code, Entry.on
    )
    for row in differences(("book", "code", "on"), expected, [actual]):
        yield f"{row.book} {row.code} {row.on}", _should(row)


def statements_in_books() -> Found:
    """The entry of every statement says what the statement and its lines say."""
    s = Statement
    key = sa.literal("close:") + text_of(s.id)
    book = sa.case(
        (s.payee == "canteen", sa.literal("canteen:") + text_of(s.canteen_id)),
        else_=sa.literal("elders"),
    )
    earned = s.enterprise_fen + s.delivery_fen
    legs = (
        (book, "statement_due", s.total_fen - s.carried_fen),
        (book, "subsidy_due", -s.elder_fen),
        (book, "online_due", -s.online_fen),
        (book, "enterprise_income", -earned),
        (book, "account_subsidy_income", -s.account_fen),
        (book, "denied_subsidy", -s.deducted_fen),
        (sa.literal("platform"), "due_to_canteens", s.online_fen),
        (sa.literal("platform"), "statements_payable", -s.online_fen),
    )
    expected = [_leg(key, of, code, fen) for of, code, fen in legs]
    purse = sa.literal("purse:") + StatementLine.territory_code
    of_line = sa.literal("close:") + text_of(StatementLine.statement_id)
    expected.append(_leg(of_line, purse, "statements_payable", -StatementLine.amount_fen))
    expected += [
        _leg(of_line, purse, f"{side}_subsidy_cost", StatementLine.amount_fen).where(
            StatementLine.side == side
        )
        for side in ("elder", "enterprise", "delivery")
    ]
    expected.append(
        _leg(of_line, purse, "enterprise_subsidy_cost", StatementLine.amount_fen).where(
            StatementLine.side == "deduction"
        )
    )
    # An amendment's entry names the entry of the statement it amends in its memo.
    which = sa.case((Entry.kind == "amendment", Entry.memo), else_=Entry.key)
    actual = _posted(which.label("key"), kinds=("closing", "amendment")).group_by(
        which, Account.book, Account.code
    )
    for row in differences(("key", "book", "code"), expected, [actual]):
        yield f"entry {row.key} {row.book} {row.code}", _should(row)


def denials_in_books() -> Found:
    """What canteens lost by denials equals the meals whose last row took their subsidy back."""
    # Which row is the last is asked here in words of its own: this is the second opinion.
    last, later = aliased(Grant), aliased(Grant)
    lost = (
        sa.select(
            (sa.literal("canteen:") + text_of(last.canteen_id)).label("book"),
            (-sa.func.sum(last.till_fen)).label("amount"),
        )
        .where(
            last.sign < 0, last.cause.in_(LOST),
            ~sa.exists().where(later.order_id == last.order_id, later.number > last.number),
        )
        .group_by(last.canteen_id)
    )
    actual = (
        sa.select(Account.book.label("book"), sa.func.sum(Posting.amount_fen).label("amount"))
        .select_from(Entry)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .where(Entry.kind == "denial", Account.code == "denied_subsidy")
        .group_by(Account.book)
    )
    for row in differences(("book",), [lost], [actual]):
        yield row.book, _should(row)


def payouts_in_books() -> Found:
    """What was paid out by statement equals what the books say was received and spent."""
    paid = sa.case((Payout.state == "paid", Payout.amount_fen), else_=0)
    expected = [
        sa.select(
            (sa.literal("payout:") + text_of(Payout.id)).label("payout"), paid.label("amount")
        )
    ]
    other = aliased(Entry)
    # A payout's entries name it in their memo, however often it was sent; what came back
    # reverses one of them.
    head = sa.func.coalesce(other.memo, Entry.memo)
    actual = (
        sa.select(head.label("payout"), sa.func.sum(Posting.amount_fen).label("amount"))
        .select_from(Entry)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .outerjoin(other, other.id == Entry.reverses_id)
        .where(
            Account.code == "bank",
            (Entry.kind == "payout") | (other.kind == "payout"),
        )
        .group_by(head)
    )
    for row in differences(("payout",), expected, [actual]):
        yield row.payout, _should(row)
    gave = sa.case((Account.code.in_(("funds", "provider_balance")), -Posting.amount_fen), else_=0)
    got = sa.case((Account.code == "bank", Posting.amount_fen), else_=0)
    spent = (
        sa.select(Entry.key, sa.func.sum(got).label("got"), sa.func.sum(gave).label("gave"))
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .where(Entry.kind.in_(("payout", "clearing")))
        .group_by(Entry.key)
        .subquery()
    )
    for row in stream(sa.select(spent).where(spent.c.got != spent.c.gave)):
        yield f"entry {row.key}", Text(
            "收款 {got} 元，出资方付出 {gave} 元",
            "{got} yuan were received, the funders paid {gave}",
        ).format(got=yuan(row.got), gave=yuan(row.gave))


def _posted(what: Any, kinds: tuple[str, ...]) -> Any:
    """Sums of postings of some kinds of entry and of what reverses them."""
    other = aliased(Entry)
    return (
        sa.select(
            what, Account.book.label("book"), Account.code.label("code"),
            sa.func.sum(Posting.amount_fen).label("amount"),
        )
        .select_from(Entry)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .outerjoin(other, other.id == Entry.reverses_id)
        .where(Entry.kind.in_(kinds) | other.kind.in_(kinds))
    )  # fmt: skip


def _leg(key: Any, book: Any, code: str, fen: Any) -> Any:
    return sa.select(
        key.label("key"), book.label("book"), sa.literal(code).label("code"), fen.label("amount")
    )


def _should(row: Any) -> Text:
    return SHOULD.format(expected=yuan(row.expected), actual=yuan(row.actual))


CHECKS = (
    Check("entries_balance", Text("每笔分录借贷平衡", "Every entry balances"), entries_balance),
    Check("tills_in_books", Text("订单与账簿一致", "Orders equal the books"), tills_in_books),
    Check(
        "statements_in_books", Text("结算单与账簿一致", "Statements equal the books"),
        statements_in_books,
    ),
    Check(
        "denials_in_books", Text("核减与账簿一致", "Denied subsidies equal the books"),
        denials_in_books,
    ),
    Check("payouts_in_books", Text("付款与账簿一致", "Payouts equal the books"), payouts_in_books),
)
