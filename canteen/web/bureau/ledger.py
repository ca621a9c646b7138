"""The books of a district or the city: what each purse and canteen stands at, down to entries."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import render_template
from flask.typing import ResponseReturnValue

from canteen.canteens import finding
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.ledger import balances
from canteen.ledger.chart import ACCOUNTS, canteen_book, purse_book
from canteen.ledger.models import Account, Entry, Posting
from canteen.web.bureau.door import DECIDERS, PAGE, asked, asked_page, blueprint, places
from canteen.web.guards import actor, guard
from canteen.words import Text

CANTEEN_ACCOUNTS = ("subsidy_due", "online_due", "statement_due", "bank")
PURSE_ACCOUNTS = ("elder_subsidy_cost", "enterprise_subsidy_cost", "delivery_subsidy_cost",
                  "statements_payable", "funds")  # fmt: skip
LATEST = 100
KINDS = {
    "day": Text("当日营业", "A day's takings"),
    "closing": Text("月结", "The month's closing"),
    "amendment": Text("结算单更正", "A statement amended"),
    "denial": Text("补贴收回或恢复", "A subsidy taken back or given again"),
    "payout": Text("付款", "Payout"),
    "repayment": Text("退款", "Paid back"),
    "clearing": Text("零额结算单清账", "A statement of nothing cleared"),
    "true_up": Text("年度清算", "Yearly true-up"), "shift": Text("交班", "A shift closed"),
    "reversal": Text("冲正", "Reversal"),
}


# What the key of an entry names by its number.
THINGS = {
    "close": Text("第 {n} 号结算单", "Statement no. {n}"),
    "repaid": Text("第 {n} 号结算单", "Statement no. {n}"),
    "cleared": Text("第 {n} 号结算单", "Statement no. {n}"),
    "payout": Text("第 {n} 号付款", "Payout no. {n}"),
    "denied": Text("第 {n} 号餐单", "Meal no. {n}"),
    "shift": Text("第 {n} 号班次", "Shift no. {n}"),
    "true-up": Text("第 {n} 号清算", "True-up no. {n}"),
    "back": Text("第 {n} 号分录", "Entry no. {n}"),
}


def entry_words(kind: str, key: str) -> Text:
    """What an entry books, and of which thing: "close:48" is of statement 48."""
    what, (prefix, *rest) = KINDS.get(kind, Text(kind, kind)), key.split(":")
    if prefix not in THINGS or not rest:
        return what
    return Text("{thing}，{what}", "{thing}: {what}").format(
        thing=THINGS[prefix].format(n=rest[0]), what=what
    )


def standing(books: list[str]) -> dict[str, dict[str, int]]:
    """Every account's balance of several books, in one query."""
    rows = db.session.execute(
        sa.select(Account.book, Account.code, sa.func.sum(Posting.amount_fen).label("fen"))
        .join(Posting, Posting.account_id == Account.id)
        .where(Account.book.in_(books)).group_by(Account.book, Account.code)
    )  # fmt: skip
    found: dict[str, dict[str, int]] = {book: {} for book in books}
    for row in rows:
        found[row.book][row.code] = int(row.fen)
    return found


@blueprint.get("/books")
@guard(*DECIDERS)
def books() -> ResponseReturnValue:
    """The purses and the canteens of this ground with their balances."""
    by, page = actor(), asked_page()
    purses = {code: purse_book(code) for code in places() if by.reaches(code)}
    known = standing(list(purses.values()))
    total = db.session.scalar(
        sa.select(sa.func.count()).select_from(Canteen).where(finding.visible(by))
    ) or 0
    canteens = finding.list_for(by, limit=PAGE, offset=(page - 1) * PAGE)
    held = standing([canteen_book(one.id) for one in canteens])
    return render_template(
        "bureau/books.html", page=page, total=total, last=-(-total // PAGE), accounts=ACCOUNTS,
        purses=[(code, known[book]) for code, book in purses.items() if known[book]],
        canteens=[(one, held[canteen_book(one.id)]) for one in canteens],
        purse_accounts=PURSE_ACCOUNTS, canteen_accounts=CANTEEN_ACCOUNTS,
    )


@blueprint.get("/books/<territory_code>")
@guard(*DECIDERS)
def purse(territory_code: str) -> ResponseReturnValue:
    """The book of one purse, account by account."""
    return _book(purse_book(territory_code), places()[territory_code])


@blueprint.get("/canteens/<int:canteen_id>/book")
@guard(*DECIDERS)
def canteen_books(canteen_id: int) -> ResponseReturnValue:
    """The book of one canteen, account by account."""
    found = finding.get_for(actor(), canteen_id)
    name = Text(found.name, found.name_en or found.name)
    return _book(canteen_book(canteen_id), name, canteen=found)


def _book(book: str, name: Text, **context: Any) -> ResponseReturnValue:
    known = balances.balances(book)
    code = asked("account", known) or next(iter(known), None)
    postings = latest(book, code) if code else []
    after = known.get(code or "", 0)
    rows = []
    for posting in postings:  # the latest first, so each balance is the next one's less its sum
        rows.append((posting, after))
        after -= posting.amount_fen
    return render_template(
        "bureau/book.html", name=name, known=known, code=code, rows=rows, before=after,
        accounts=ACCOUNTS, entry_words=entry_words, full=len(rows) == LATEST, **context,
    )


def latest(book: str, code: str) -> list[Any]:
    """The latest postings of one account, newest first."""
    return list(db.session.execute(
        sa.select(Entry.id, Entry.on, Entry.key, Entry.kind, Posting.amount_fen)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .where(Account.book == book, Account.code == code)
        .order_by(Entry.id.desc()).limit(LATEST)
    ))  # fmt: skip
