"""What the pages of a statement and its meals show: the same at both desks, read in one place."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen, Operator
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.elders.models import Elder
from canteen.ledger.chart import ACCOUNTS
from canteen.ledger.models import Account, Entry, Posting
from canteen.money import yuan
from canteen.orders.models import SERVICES
from canteen.settlements import amending, amounts_in_question, correcting, finding, gates, undoing
from canteen.settlements.extrapolating import overturned, subsidised
from canteen.settlements.models import Statement
from canteen.settlements.review_models import SampledMeal
from canteen.stories.reviews import AMENDED
from canteen.subsidies.models import CAUSES
from canteen.territory.actors import Actor
from canteen.territory.models import city_of
from canteen.tills import excess
from canteen.web.bureau import trail
from canteen.web.bureau.door import person, place
from canteen.web.language import said
from canteen.words import Text


def statement(by: Actor, found: Statement) -> dict[str, Any]:
    """Everything on the page of one statement."""
    lines = finding.lines_of(found.id)
    payout = finding.payout_of(found.id)
    return {
        "statement": found, "payee": payee(found), "chain": chain(found), "lines": lines,
        "funders": by_funder(found, lines), "days": finding.days_of(found),
        "carried": finding.carried_into(found.id), "payout": payout,
        "steps": finding.steps_of(found.id), "entries": entries(found, payout),
        "excess": excess.sums(found.canteen_id, found.period) if found.canteen_id else None,
        "mine": found.stage == by.role,
        "missing": gates.missing([found.id], by.role) if found.stage == by.role else [],
        "questions": amounts_in_question.of(found, by), "undoable": undoing.may_undo(found, by),
        "amendments": amending.changing_sums(found.id), "sample": sample(found),
        "corrections": correcting.lines_of(found.id), **LINE_WORDS,
        "trail": sorted(
            trail.of("statement", found.id) + (trail.of("payout", payout.id) if payout else []),
            key=lambda mark: -mark.id,
        ),
    }


def sample(found: Statement) -> dict[str, int]:
    """How many meals were drawn, looked at, found wrong, and need no look (`gone`: taken back
    before anybody looked), and how many findings there are."""
    m = SampledMeal
    drawn, looked, wrong, gone = db.session.execute(
        sa.select(
            sa.func.count(), sa.func.count(m.verdict),
            sa.func.sum(sa.case(((m.verdict == "wrong") & ~overturned(), 1), else_=0)),
            sa.func.sum(sa.case((m.verdict.is_(None) & ~subsidised(), 1), else_=0)),
        ).where(m.statement_id == found.id)
    ).one()
    flagged = db.session.scalar(
        sa.select(sa.func.count()).where(
            Suspicion.period == found.period, Suspicion.canteen_id == found.canteen_id,
            Suspicion.state != "cleared",
        )
    )
    return {
        "drawn": drawn, "looked": looked, "wrong": int(wrong or 0), "gone": int(gone or 0),
        "flagged": flagged or 0,
    }


def field_shown(name: str, value: Any) -> Text | str:
    """One field of a corrected line as people read it."""
    if value is None or value == "":
        return "—"
    if name.endswith("_fen"):
        return yuan(int(value))
    return SERVICES.get(value, value) if name == "service" else str(value)


FIELDS = {
    "service": Text("用餐方式", "Served"), "receiver": Text("签收人", "Taken by"),
    "till_fen": Text("老人补贴(元)", "Elder subsidy"),
    "account_fen": Text("到账补贴(元)", "To account"),
    "enterprise_fen": Text("运营补贴(元)", "Enterprise"),
    "delivery_fen": Text("送餐补贴(元)", "Delivery"),
}
# What the pages of lines sent back may say.
LINE_WORDS: dict[str, Any] = {
    "LINE_ACTS": correcting.ACTS, "LINE_ANSWERS": correcting.ANSWERS,
    "LINE_STATES": correcting.STATES, "FIELDS": FIELDS,
    "CAUSES": CAUSES | AMENDED, "changed_fields": correcting.before_and_after,
    "shown": lambda name, value: said(field_shown(name, value)),
}


def payee(found: Statement) -> dict[str, Any]:
    """Whom a statement is for: name, operator and where the money goes."""
    canteen = db.session.get(Canteen, found.canteen_id) if found.canteen_id else None
    elder = db.session.get(Elder, found.elder_id) if found.elder_id else None
    operator = db.session.get(Operator, found.operator_id) if found.operator_id else None
    if canteen is not None:
        name = Text(canteen.name, canteen.name_en or canteen.name)
        account = operator.payout_account if operator else ""
    else:
        name = Text(elder.name, elder.name) if elder else Text("", "")
        account = (elder.payout_account if elder else None) or ""
    return {
        "name": name, "canteen": canteen, "elder": elder, "operator": operator, "account": account,
    }


def chain(found: Statement) -> list[dict[str, Any]]:
    """The chain as the macro draws it, each office with its own place."""
    steps = []
    where = {"street": found.street_code, "district": found.district_code,
             "city": city_of(found.district_code)}  # fmt: skip
    for step in finding.chain_of(found):
        label = place(where[step.office]) if step.office in where else step.label
        steps.append({
            "label": label, "state": step.state, "since": step.since,
            "who": person(step.who) if step.who else None, "due": step.due,
            "reason": step.reason, "state_words": step.state_words,
        })  # fmt: skip
    return steps


def by_funder(found: Statement, lines: list[Any]) -> dict[str, Any]:
    """The statement as a table: a row for each side, a column for each purse, sums both ways."""
    purses = list(dict.fromkeys((line.funder, line.territory_code) for line in lines))
    rows: dict[str, dict[tuple[str, str], int]] = {}
    meals: dict[str, int] = {}
    for line in lines:
        cell = rows.setdefault(line.side, {})
        key = (line.funder, line.territory_code)
        cell[key] = cell.get(key, 0) + line.amount_fen
        meals[line.side] = max(meals.get(line.side, 0), line.meals)
    sums = {key: sum(row.get(key, 0) for row in rows.values()) for key in purses}
    return {"purses": purses, "rows": rows, "meals": meals, "sums": sums,
            "total": sum(sums.values())}  # fmt: skip


def entries(found: Statement, payout: Any) -> list[dict[str, Any]]:
    """The ledger entries a statement made: its closing and its payout, as T-accounts by book."""
    keys = [Entry.key == f"close:{found.id}", Entry.memo == f"close:{found.id}"]
    if payout is not None:
        keys.append(sa.and_(Entry.kind == "payout", Entry.memo == f"payout:{payout.id}"))
    rows = db.session.execute(
        sa.select(Entry.id, Entry.kind, Entry.on, Account.book, Account.code,
                  Posting.amount_fen)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .where(sa.or_(*keys))
        .order_by(Entry.id, Account.book, Account.id)
    )  # fmt: skip
    made: dict[int, dict[str, Any]] = {}
    for row in rows:
        entry = made.setdefault(
            row.id, {"id": row.id, "kind": ENTRIES.get(row.kind, row.kind), "on": row.on,
                     "books": {}},
        )  # fmt: skip
        entry["books"].setdefault(book_name(row.book), []).append(
            (ACCOUNTS.get(row.code, row.code), row.amount_fen)
        )
    for entry in made.values():
        for legs in entry["books"].values():
            legs.sort(key=lambda leg: leg[1] < 0)  # debits first
    return list(made.values())


ENTRIES = {
    "closing": Text("月结", "The month's closing"),
    "amendment": Text("结账后的变动", "A change since closing"),
    "payout": Text("付款", "The payout"),
}


def book_name(book: str) -> Text:
    """Whose book it is, as people call it."""
    kind, _, rest = book.partition(":")
    if kind == "purse":
        name = place(rest)
        text = name if isinstance(name, Text) else Text(rest, rest)
        return Text(f"{text.zh}财政资金", f"Purse of {text.en}")
    if kind == "canteen":
        return Text("食堂账", "The canteen's book")
    return {
        "platform": Text("平台代收账", "The platform's book"),
        "elders": Text("老人账户", "The elders' book"),
    }.get(kind, Text(book, book))
