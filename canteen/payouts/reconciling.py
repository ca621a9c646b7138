"""Payouts, messages, provider's events and books laid side by side: what agrees, what does not."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder
from canteen.ledger.models import Account, Entry, Posting
from canteen.payments import outbox
from canteen.payments.models import OutboxMessage, ProviderEvent
from canteen.payouts import beyond_lines
from canteen.payouts.mismatches import ASKED, HEARD, PROBLEMS, Mismatch, Reconciled, Side
from canteen.payouts.models import BankReturn, ExplainedMismatch, PayoutBatch, PayoutLine
from canteen.settlements.booking import numbered, text_of
from canteen.settlements.models import Payout, Statement

LONG = {"gateway": timedelta(hours=2), "bank_file": timedelta(days=3)}
MOST = 200
SIDES = ("lines", "paid", "sent", "confirmed", "asked", "by_bank", "booked", "waiting")


def reconcile(
    first: date, last: date, *, at: datetime, limit: int = MOST, district: str | None = None
) -> Reconciled:
    """Everything released, heard of and booked from `first` to `last`, both days included.

    Of a `district`: the payouts of its statements, and the money paid back for them; what names
    no statement is the city's. Reads only. The database joins and sums; memory holds the first
    `limit` mismatches, and the rows of the bank's files that matched nothing. With a limit of
    nothing only what does not agree is counted.
    """
    ours = sa.true() if district is None else Statement.district_code == district
    since = clock.instant(first, time())
    until = clock.instant(last + timedelta(days=1), time())
    books = _books()
    joined = _joined(since, until, at, books).where(ours).cte("joined")
    sides = _sides(joined) if limit else dict.fromkeys(SIDES, Side())
    noted, alone = beyond_lines.repayments(first, last, since, until, ours)
    others = [noted] if district is not None else [
        noted, alone, beyond_lines.charges(since, until), beyond_lines.refunds(since, until),
        beyond_lines.refunds_waiting(since, until, at), beyond_lines.reversals(first, last),
        _foreign_events(since, until), _lone_entries(first, last),
    ]  # fmt: skip
    found = sa.union_all(
        sa.select(joined.c.problem, joined.c.payout_id, joined.c.batch_id, joined.c.statement_id,
                  joined.c.payee, joined.c.payee_en, joined.c.amount_fen, joined.c.other_fen,
                  joined.c.reference, joined.c.at).where(joined.c.problem.is_not(None)),
        beyond_lines.unbatched(since, until, at, books, ours), *others,
    ).subquery()  # fmt: skip
    known = sa.exists().where(
        ExplainedMismatch.problem == found.c.problem,
        ExplainedMismatch.reference == found.c.reference,
    )
    found = sa.select(found).where(sa.not_(known)).cte("found")
    problems = {
        one.problem: Side(int(one.number), int(one.fen or 0))
        for one in db.session.execute(
            sa.select(found.c.problem, sa.func.count().label("number"),
                      sa.func.sum(found.c.amount_fen).label("fen")).group_by(found.c.problem)
        )
    }  # fmt: skip
    gravest = sa.case({code: n for n, code in enumerate(PROBLEMS)}, value=found.c.problem)
    listed: Any = db.session.execute(
        sa.select(found).order_by(gravest, found.c.payout_id, found.c.reference).limit(limit)
    ) if limit else []
    reconciled = Reconciled(
        first, last, **sides, problems=problems,
        mismatches=[Mismatch(**one._mapping) for one in listed],
    )
    return reconciled.along_with([] if district is not None else _by_bank(since, until))


def _sides(joined: Any) -> dict[str, Side]:
    """What the lines come to on each side."""
    gateway, paid = joined.c.way == "gateway", joined.c.state == "paid"
    confirmed = sa.and_(paid, gateway, joined.c.event_fen.is_not(None))
    conditions = {
        "lines": sa.true(), "paid": paid,
        "sent": sa.and_(gateway, joined.c.message == "done"), "confirmed": confirmed,
        "asked": sa.and_(confirmed, joined.c.heard == 0),
        "by_bank": sa.and_(paid, sa.not_(gateway)),
        "booked": sa.and_(paid, joined.c.booked_fen == joined.c.amount_fen),
        "waiting": joined.c.state == "waiting",
    }  # fmt: skip
    columns = []
    for name in SIDES:
        one = sa.case((conditions[name], 1), else_=0)
        columns += [sa.func.coalesce(sa.func.sum(one), 0).label(f"{name}_count"),
                    sa.func.coalesce(sa.func.sum(one * joined.c.amount_fen), 0).label(name)]
    row = db.session.execute(sa.select(*columns)).one()._mapping
    return {name: Side(int(row[f"{name}_count"]), int(row[name])) for name in SIDES}


def _by_bank(since: datetime, until: datetime) -> list[Mismatch]:
    """The rows of files the bank sent back in the range that matched no line of ours."""
    returns = db.session.scalars(
        sa.select(BankReturn).where(BankReturn.taken_at >= since, BankReturn.taken_at < until)
        .order_by(BankReturn.id)
    )  # fmt: skip
    known = set(db.session.scalars(
        sa.select(ExplainedMismatch.reference)
        .where(ExplainedMismatch.problem == "bank_unmatched")
    ))  # fmt: skip
    found = [
        Mismatch("bank_unmatched", None, None, None, "", "", None, None,
                 f"{one['reference'][:80]} ({back.id}, {back.file_name}: {one['row']})",
                 back.taken_at, back.id)
        for back in returns for one in back.unmatched
    ]  # fmt: skip
    return [one for one in found if one.reference not in known]


def _joined(since: datetime, until: datetime, at: datetime, books: Any) -> Any:
    """Every line released in the range with its message, the provider's word and the books."""
    line, batch, m, s = PayoutLine, PayoutBatch, OutboxMessage, Statement
    payee_id = sa.case((s.payee == "canteen", s.canteen_id), else_=s.elder_id)
    key = (
        sa.literal("payout-") + s.period + sa.literal("-") + s.payee + sa.literal("-")
        + text_of(payee_id) + sa.literal("-b") + text_of(line.batch_id)
    )
    event = _events(since)
    provided = sa.func.coalesce(line.reference, m.provider_id)
    current = Payout.batch_id == line.batch_id
    gateway = batch.way == "gateway"
    sent_fen = m.payload["amount_fen"].as_integer()
    other_fen = sa.case(
        (sent_fen != line.amount_fen, sent_fen),
        (event.c.fen != line.amount_fen, event.c.fen),
        (sa.and_(current, line.state == "paid"), sa.func.coalesce(books.c.fen, 0)),
    )
    long_ago = sa.case(
        (gateway, batch.released_at < at - LONG["gateway"]),
        else_=batch.released_at < at - LONG["bank_file"],
    )
    booked = sa.func.coalesce(books.c.fen, 0)
    problem = sa.case(
        (sa.and_(gateway, m.id.is_(None)), "no_message"),
        (sa.or_(sent_fen != line.amount_fen, event.c.fen != line.amount_fen), "amount_unlike"),
        (sa.and_(line.state == "paid", current, event.c.reversed == 1), "came_back"),
        (sa.and_(line.state != "paid", current, event.c.fen.is_not(None), event.c.reversed == 0,
                 line.reference.is_(None)), "paid_at_provider"),
        (sa.and_(line.state == "paid", current, booked != line.amount_fen), "paid_without_entry"),
        (sa.and_(line.state != "paid", current, booked != 0), "entry_without_payment"),
        (sa.and_(gateway, current, line.state != "paid", outbox.unclear()), "unclear"),
        (sa.and_(gateway, line.state == "paid", event.c.fen.is_(None)), "no_event"),
        (sa.and_(line.state == "waiting", long_ago), "waiting_long"),
        (sa.and_(line.state == "failed", current, Payout.state == "failed"), "failed"),
    )
    return (
        sa.select(
            line.payout_id, line.batch_id, Payout.statement_id, line.amount_fen, line.state,
            batch.way, m.state.label("message"), event.c.fen.label("event_fen"),
            sa.func.coalesce(event.c.heard, 0).label("heard"), booked.label("booked_fen"),
            *(words.label(name) for name, words in beyond_lines.named().items()),
            sa.func.coalesce(provided, "").label("reference"),
            batch.released_at.label("at"), other_fen.label("other_fen"),
            problem.label("problem"),
        )
        .select_from(line)
        .join(batch, batch.id == line.batch_id)
        .join(Payout, Payout.id == line.payout_id)
        .join(s, s.id == Payout.statement_id)
        .outerjoin(Canteen, Canteen.id == s.canteen_id)
        .outerjoin(Elder, Elder.id == s.elder_id)
        .outerjoin(m, m.key == key)
        .outerjoin(event, event.c.id == provided)
        .outerjoin(books, books.c.memo == numbered("payout:", line.payout_id))
        .where(batch.state.in_(("released", "done")), batch.released_at >= since,
               batch.released_at < until)
    )  # fmt: skip


def _events(since: datetime) -> Any:
    """What the provider said of each transfer: by itself (`heard`), or when it was asked.

    Nothing was said of a line before its batch was released.
    """
    about = ProviderEvent.payload
    is_reversed = sa.case(
        (ProviderEvent.kind == "transfer.reversed", 1),
        (sa.and_(ProviderEvent.kind == ASKED, about["reversed"].as_boolean()), 1), else_=0,
    )
    transfer = about["id"].as_string()
    return (
        sa.select(
            transfer.label("id"), sa.func.max(about["amount"].as_integer()).label("fen"),
            sa.func.max(sa.case((ProviderEvent.kind == ASKED, 0), else_=1)).label("heard"),
            sa.func.max(is_reversed).label("reversed"),
        )
        .where(ProviderEvent.kind.in_((*HEARD, ASKED)), ProviderEvent.received_at >= since)
        .group_by(transfer).cte("told")
    )  # fmt: skip


def _books() -> Any:
    """What the books say each payout's payee has received; what came back is off again."""
    other = aliased(Entry)
    memo = sa.func.coalesce(other.memo, Entry.memo)
    return (
        sa.select(memo.label("memo"), sa.func.sum(Posting.amount_fen).label("fen"))
        .select_from(Entry)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .outerjoin(other, other.id == Entry.reverses_id)
        .where(Account.code == "bank", sa.or_(Entry.kind == "payout", other.kind == "payout"))
        .group_by(memo).cte("books")
    )  # fmt: skip


def _foreign_events(since: datetime, until: datetime) -> Any:
    """Transfers the provider told of in the range that no message and no line of ours knows."""
    about = ProviderEvent.payload
    transfer = about["id"].as_string()
    known = sa.or_(
        sa.exists().where(OutboxMessage.kind == "transfer", OutboxMessage.provider_id == transfer),
        sa.exists().where(PayoutLine.reference == transfer),
        # Heard before our own answer was written down: it is ours by the key it carries.
        sa.exists().where(
            OutboxMessage.kind == "transfer", OutboxMessage.state != "done",
            OutboxMessage.reference == about[("metadata", "reference")].as_string(),
        ),
    )
    return beyond_lines.row(
        sa.literal("foreign_event"), about["amount"].as_integer(), transfer,
        ProviderEvent.received_at,
    ).where(
        ProviderEvent.kind.in_(HEARD), ProviderEvent.received_at >= since,
        ProviderEvent.received_at < until, sa.not_(known),
    )  # fmt: skip


def _lone_entries(first: date, last: date) -> Any:
    """Entries of payouts in the range of which no payout knows."""
    return beyond_lines.row(
        sa.literal("entry_alone"), beyond_lines.bank_of(Entry), Entry.key, Entry.made_at
    ).where(
        Entry.kind == "payout", Entry.on >= first, Entry.on <= last,
        sa.not_(sa.exists().where(Payout.id == beyond_lines.payout_of(Entry))),
    )
