"""A statement as it is printed and taken out: its facts, sums, changes, signatures, check code."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.access.models import User
from canteen.canteens.models import Canteen, Operator
from canteen.db import canonical, db
from canteen.elders.models import Elder
from canteen.money import yuan
from canteen.papers.statement_paper import Change, Day, Part, Signature, StatementPaper
from canteen.papers.tables import Column, Table
from canteen.settlements import exporting, finding
from canteen.settlements.amending import changing_sums
from canteen.settlements.models import STAGES, Statement, StatementAmendment
from canteen.settlements.tracing import SIDES
from canteen.subsidies.models import CAUSES, Grant, cause_words, is_last
from canteen.territory.actors import ROLES
from canteen.territory.models import city_of
from canteen.words import Text, month

CODE_LETTERS = 12
SUMS = ("elder_fen", "account_fen", "enterprise_fen", "delivery_fen", "online_fen", "carried_fen",
        "deducted_fen", "total_fen")  # fmt: skip
BESIDE = {
    "online": Text("线上收款", "Online takings"),
    "carried": Text("上期结转", "Carried from before"),
}
DEDUCTION = Text("抽查扣减（退还）", "Deducted (given back) after a sample")
HELD_BEFORE = Text("核减（已在结账时暂扣）", "Denied (held at closing already)")


def code_of(statement: Statement) -> str:
    """A short hash of what a statement pays, to compare a paper with: "A1B2-C3D4-E5F6".

    It changes whenever a sum, a funder's part or the payee does, and not with the stage.
    """
    content = {
        "id": statement.id, "period": statement.period, "meals": statement.meals,
        "canteen": statement.canteen_id, "elder": statement.elder_id,
        "sums": {name: getattr(statement, name) for name in SUMS},
        "lines": [
            (line.side, line.funder, line.territory_code, line.meals, line.amount_fen)
            for line in finding.lines_of(statement.id)
        ],
    }
    whole = hashlib.sha256(canonical(content).encode()).hexdigest()[:CODE_LETTERS].upper()
    return "-".join(whole[i : i + 4] for i in range(0, CODE_LETTERS, 4))


def paper_of(statement: Statement, on: date) -> StatementPaper:
    """Everything on the paper of a statement, printed on a day."""
    named = exporting.places()
    purses, parts = _parts(statement, named)
    first, last = clock.period_days(statement.period)
    elder = "till_fen" if statement.payee == "canteen" else "account_fen"
    days = tuple(
        Day(row.on, int(row.meals), int(getattr(row, elder)), int(row.enterprise_fen),
            int(row.delivery_fen))
        for row in finding.days_of(statement) if first <= row.on <= last
    )  # fmt: skip
    return StatementPaper(
        number=statement.id, city=_name(named, city_of(statement.district_code)),
        period=statement.period, stage=STAGES[statement.stage], facts=facts_of(statement, named),
        purses=purses, parts=parts, total_fen=statement.total_fen, days=days,
        changes=tuple(changes_of(statement)), notes=notes_of(statement),
        signatures=_signatures(statement, named), code=code_of(statement), printed_on=on,
    )


def facts_of(statement: Statement, named: exporting.Places) -> tuple[tuple[Text, Text | str], ...]:
    """Who is paid, and whose ground it is."""
    canteen = db.session.get(Canteen, statement.canteen_id) if statement.canteen_id else None
    elder = db.session.get(Elder, statement.elder_id) if statement.elder_id else None
    operator = db.session.get(Operator, statement.operator_id) if statement.operator_id else None
    facts: list[tuple[Text, Text | str]] = []
    if canteen is not None:
        name = Text(canteen.name, canteen.name_en or canteen.name)
        facts += [(Text("食堂", "Canteen"), name), (Text("食堂编号", "Code"), canteen.code)]
    if elder is not None:
        facts.append((Text("收款老人", "Elder"), exporting.diner(elder.name, elder.ric_last4)))
    if operator is not None:
        facts += [
            (Text("运营企业", "Operator"), operator.name),
            (Text("统一信用代码", "Credit code"), operator.uscc),
        ]
    account = operator.payout_account if operator else elder.payout_account if elder else ""
    return (
        *facts,
        (Text("街道（乡镇）", "Street"), _name(named, statement.street_code)),
        (Text("区", "District"), _name(named, statement.district_code)),
        (Text("收款账户", "Account"), _tail(account)),
        (Text("补贴餐次", "Subsidised meals"), f"{statement.meals:,}"),
    )


def _tail(account: str | None) -> Text:
    """An account by its end, as everywhere but in the bank file: papers are passed around."""
    if not account:
        return Text("没有登记", "none known")
    return Text("尾号 {n}", "ending {n}").format(n=account[-4:])


def _parts(
    statement: Statement, named: exporting.Places
) -> tuple[tuple[Text, ...], tuple[Part, ...]]:
    lines = finding.lines_of(statement.id)
    purses = list(dict.fromkeys(line.territory_code for line in lines))
    sides = list(dict.fromkeys(line.side for line in lines))
    parts = []
    for side in sides:
        mine = [line for line in lines if line.side == side]
        sums = {code: sum(one.amount_fen for one in mine if one.territory_code == code)
                for code in purses}  # fmt: skip
        parts.append(Part(
            SIDES.get(side, DEDUCTION), max(one.meals for one in mine) or None,
            tuple(sums[code] or None for code in purses), sum(sums.values()),
        ))  # fmt: skip
    blank = (None,) * len(purses)
    for code, name in BESIDE.items():
        fen = getattr(statement, f"{code}_fen")
        if fen:
            parts.append(Part(name, None, blank, fen))
    return tuple(_name(named, code) for code in purses), tuple(parts)


def changes_of(statement: Statement) -> list[Change]:
    """What is in the sums beside the month's own meals: amendments, and what earlier months owed.

    A meal of an earlier month whose subsidy changed after that month was closed falls into this
    statement; such meals are told by month and cause.
    """
    changes = [
        Change(_amended(one), Text(one.reason, one.reason), _by(one) or None)
        for one in changing_sums(statement.id)
    ]
    first, _ = clock.period_days(statement.period)
    elder = Grant.till_fen if statement.payee == "canteen" else Grant.account_fen
    extra = Grant.enterprise_fen + Grant.delivery_fen if statement.payee == "canteen" else 0
    rows = db.session.execute(
        sa.select(Grant.on, Grant.cause, sa.func.count(), sa.func.sum(elder + extra))
        .where(*finding.of_statement(statement), Grant.on < first)
        .group_by(Grant.on, Grant.cause).order_by(Grant.on, Grant.cause)
    )  # fmt: skip
    sums: dict[tuple[str, str], list[int]] = {}
    for on, cause, count, fen in rows:
        pair = sums.setdefault((clock.period_of(on), cause), [0, 0])
        pair[0], pair[1] = pair[0] + int(count), pair[1] + int(fen)
    for (period, cause), (count, fen) in sums.items():
        if not fen:
            continue
        what = Text("{month}的餐次", "Meals of {month}").format(month=month(period))
        why = Text("{cause}，{n} 笔", "{cause}, {n:row|rows}").format(
            cause=cause_words(cause, fen), n=count
        )
        changes.append(Change(what, why, fen))
    return changes


def _amended(one: StatementAmendment) -> Text:
    """What an amendment was; where a sum held at closing is denied, none is left to change."""
    if one.cause not in CAUSES:
        return DEDUCTION
    return cause_words(one.cause, _by(one)) if _by(one) else HELD_BEFORE


def _by(one: StatementAmendment) -> int:
    return one.total_after_fen - one.total_before_fen


def notes_of(statement: Statement) -> tuple[Text, ...]:
    """What is not in the sums though one might look for it: meals held for a decision."""
    held, fen = db.session.execute(
        sa.select(sa.func.count(), sa.func.sum(Grant.canteen_fen))
        .where(*finding.of_statement(statement), Grant.cause == "held", is_last(Grant))
    ).one()
    if not held or statement.payee != "canteen":
        return ()
    return (
        Text(
            "另有 {n} 餐 {sum} 元因疑点暂扣待定，不在本单金额内。",
            "Not in these sums: {n:meal|meals}, {sum} yuan, held for a decision.",
        ).format(n=f"{held:,}", sum=yuan(-int(fen))),
    )


def _signatures(statement: Statement, named: exporting.Places) -> tuple[Signature, ...]:
    """A place for each office of the chain, with who has confirmed in the system already."""
    operator = db.session.get(Operator, statement.operator_id) if statement.operator_id else None
    names = {
        "street": _name(named, statement.street_code),
        "district": _name(named, statement.district_code),
        "city": _name(named, city_of(statement.district_code)),
    }
    if operator is not None:
        names["operator"] = Text(operator.name, operator.name)
    signed = []
    for step in finding.chain_of(statement):
        if step.office not in names:
            continue
        done = step.state == "done" and step.since
        signed.append(Signature(
            ROLES[step.office], names[step.office], person(step.who) if done else "",
            clock.local(step.since).date() if done and step.since else None,
        ))  # fmt: skip
    return tuple(signed)


def person(label: str) -> Text | str:
    """The name behind "user:7"; what a rule did by itself is said so."""
    kind, _, rest = label.partition(":")
    user = db.session.get(User, int(rest)) if kind == "user" and rest.isdigit() else None
    return user.name if user else Text("到期自动", "by rule")


def tables_of(statement: Statement, on: date) -> list[Table]:
    """A statement as the sheets of a workbook; the meals last."""
    paper = paper_of(statement, on)
    about: list[Sequence[Any]] = [
        (Text("编号", "No."), str(paper.number)), (Text("结算期", "Period"), paper.period),
        *paper.facts, (Text("环节", "Stage"), paper.stage),
        (Text("校验码", "Check code"), paper.code),
        *((Text("说明", "Note"), note) for note in paper.notes),
    ]  # fmt: skip
    purses = [Column(Text("{p}(元)", "{p} (yuan)").format(p=purse), "fen", summed=True)
              for purse in paper.purses]  # fmt: skip
    total = Column(Text("合计(元)", "Total (yuan)"), "fen", summed=True)
    meals = Text("餐次", "Meals")
    tables = [
        Table(Text("结算单", "Statement"),
              (Column(Text("项目", "What"), width=18), Column(Text("内容", "Content"), width=48)),
              about),
        Table(Text("金额", "Sums"),
              (Column(Text("项目", "For"), width=24), Column(meals, "int"), *purses, total),
              [(part.name, part.meals, *part.by_purse, part.total_fen) for part in paper.parts]),
        Table(Text("按日", "Days"), (
            Column(Text("日期", "Day"), "date"), Column(meals, "int", summed=True),
            *(Column(Text(zh, en), "fen", summed=True) for zh, en in (
                ("老人补贴(元)", "Elders (yuan)"), ("运营补贴(元)", "Enterprise (yuan)"),
                ("送餐补贴(元)", "Delivery (yuan)"))),
        ), [(d.on, d.meals, d.elder_fen, d.enterprise_fen, d.delivery_fen) for d in paper.days]),
    ]  # fmt: skip
    if paper.changes:
        tables.append(Table(Text("更正与调整", "Changes"), (
            Column(Text("事项", "What"), width=28), Column(Text("原因", "Why"), width=48),
            Column(Text("金额(元)", "Yuan"), "fen"),
        ), [(one.what, one.why, one.amount_fen) for one in paper.changes]))  # fmt: skip
    return [*tables, exporting.meals_of_statement(statement)]


def _name(named: exporting.Places, code: str) -> Text:
    return named.get(code, Text(code, code))
