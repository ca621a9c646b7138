"""What must be done before an office passes a statement on: lines put right, samples seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.checks.catalogue import ELDERS_ACCOUNT
from canteen.checks.explaining import explain
from canteen.checks.models import UNDECIDED, Suspicion
from canteen.db import db
from canteen.elders.models import Elder
from canteen.errors import Refused
from canteen.settlements import extrapolating, rules
from canteen.settlements.models import Statement, StatementStep
from canteen.settlements.review_models import Correction, SampledMeal
from canteen.territory.actors import DECIDERS
from canteen.words import Text, month

MOST_NAMED = 3
PARTS = {
    "corrections": Text(
        "{n} 条待更正的餐次没有回复",
        "{n:meal to be put right is|meals to be put right are} unanswered",
    ),
    "answers": Text(
        "{n} 条更正还没有核阅",
        "{n:correction was|corrections were} not taken note of",
    ),
    "sample": Text(
        "抽查还有 {n} 餐没有看",
        "{n:drawn meal was|drawn meals were} not looked at",
    ),
    "findings": Text(
        "{n} 条暂扣疑点没有决定",
        "{n:finding that holds money is|findings that hold money are} undecided",
    ),
    "extrapolation": Text("抽查推算的扣减还没有办理", "the extrapolated deduction was not made"),
}


@dataclass(frozen=True)
class Missing:
    """What one statement lacks: a code of PARTS and how many."""

    statement_id: int
    code: str
    count: int

    @property
    def text(self) -> Text:
        """What is missing, in words."""
        return PARTS[self.code].format(n=self.count)


class NotReady(Refused):
    """Something must be done before these statements go on; the text names them and what, the
    detail holds their ids."""

    code = "statement_not_ready"
    text = Text("还不能办理：{what}", "Not yet: {what}")


def must_be_ready(ids: Sequence[int], office: str) -> None:
    """Refuse with NotReady unless an office may pass all of these on; the caller holds them."""
    found = missing(ids, office)
    if not found:
        return
    counts: dict[str, int] = {}
    of_each: dict[int, list[Text]] = {}
    for each in found:
        counts[each.code] = counts.get(each.code, 0) + each.count
        of_each.setdefault(each.statement_id, []).append(each.text)
    wrong = sorted(of_each)
    words = [
        Text(f"{who.zh}：{'，'.join(t.zh for t in of_each[id_])}",
             f"{who.en}: {', '.join(t.en for t in of_each[id_])}")
        for id_, who in named(wrong[:MOST_NAMED]).items()
    ]  # fmt: skip
    if len(wrong) > MOST_NAMED:
        more = Text("另有 {n} 张结算单", "{n:more statement|more statements}")
        words.append(more.format(n=len(wrong) - MOST_NAMED))
    what = Text("；".join(word.zh for word in words), "; ".join(word.en for word in words))
    raise NotReady(NotReady.text.format(what=what), missing=counts, statement_ids=wrong)


def named(ids: Sequence[int]) -> dict[int, Text]:
    """What each of these statements is called: whose it is, and of which month."""
    rows = db.session.execute(
        sa.select(Statement.id, Statement.period, Canteen.name, Canteen.name_en, Elder.name)
        .outerjoin(Canteen, Canteen.id == Statement.canteen_id)
        .outerjoin(Elder, Elder.id == Statement.elder_id)
        .where(Statement.id.in_(ids)).order_by(Statement.id)
    )  # fmt: skip
    return {
        id_: Text("{who}{month}", "{who}, {month}").format(
            who=Text(name, name_en or name) if name else Text(elder, elder), month=month(period)
        )
        for id_, period, name, name_en, elder in rows
    }


def missing(ids: Sequence[int], office: str) -> list[Missing]:
    """Everything that keeps an office from passing these statements on."""
    found = _corrections(ids, "asked", "corrections")
    found += _corrections(ids, "answered", "answers", office)
    # From the district on somebody looks; what is found after it passed is seen to by the city.
    if office in DECIDERS:
        found += _sample(ids) + _findings(ids) + _extrapolations(ids)
    return found


def to_be_noted(office: str) -> Any:
    """Which corrections an office must take note of once answered: those it asked for itself, and
    the city whatever is left. For a query over corrections."""
    if office == "city":
        return sa.true()
    return sa.exists().where(
        StatementStep.statement_id == Correction.statement_id, StatementStep.stage == office,
        StatementStep.verdict == "returned", StatementStep.by_label == Correction.asked_by,
        StatementStep.at == Correction.asked_at,
    )


def _corrections(
    ids: Sequence[int], state: str, code: str, office: str = "city"
) -> list[Missing]:
    rows = db.session.execute(
        sa.select(Correction.statement_id, sa.func.count())
        .where(
            Correction.statement_id.in_(ids), Correction.state == state, to_be_noted(office)
        )
        .group_by(Correction.statement_id)
    )
    return [Missing(row[0], code, row[1]) for row in rows]


def _sample(ids: Sequence[int]) -> list[Missing]:
    """Drawn meals nobody looked at."""
    rows = db.session.execute(
        sa.select(SampledMeal.statement_id, sa.func.count())
        .where(
            SampledMeal.statement_id.in_(ids), SampledMeal.verdict.is_(None),
            extrapolating.subsidised(),
        )
        .group_by(SampledMeal.statement_id)
    )
    return [Missing(row[0], "sample", row[1]) for row in rows]


def _findings(ids: Sequence[int]) -> list[Missing]:
    """What holds the payee's money: the canteen's, but for checks of an elder's account."""
    holds = (Suspicion.mode == "hold", Suspicion.state.in_(UNDECIDED))
    rows = db.session.execute(
        sa.select(Statement.id, sa.func.count())
        .join(
            Suspicion,
            sa.and_(Suspicion.period == Statement.period,
                    Suspicion.canteen_id == Statement.canteen_id),
        )
        .where(Statement.id.in_(ids), *holds, Suspicion.code.not_in(ELDERS_ACCOUNT))
        .group_by(Statement.id)
    )  # fmt: skip
    counts: Counter[int] = Counter({row[0]: row[1] for row in rows})
    periods = sa.select(Statement.period).where(
        Statement.id.in_(ids), Statement.elder_id.is_not(None)
    )
    accounts = sa.select(Suspicion).where(
        *holds, Suspicion.code.in_(ELDERS_ACCOUNT), Suspicion.period.in_(periods)
    )
    of_payee = Counter(
        (suspicion.period, elder_id)
        for suspicion in db.session.scalars(accounts) for elder_id in explain(suspicion).elder_ids
    )  # fmt: skip
    if of_payee:
        payees = sa.select(Statement.id, Statement.period, Statement.elder_id).where(
            Statement.id.in_(ids), Statement.elder_id.is_not(None)
        )
        for row in db.session.execute(payees):
            counts[row.id] += of_payee[row.period, row.elder_id]
    return [
        Missing(statement_id, "findings", count) for statement_id, count in counts.items() if count
    ]


def _extrapolations(ids: Sequence[int]) -> list[Missing]:
    """Deductions the rule asks for and that were not made, or not in full, or no longer hold."""
    wrong = sa.exists().where(
        SampledMeal.statement_id == Statement.id, SampledMeal.verdict == "wrong"
    )
    rows = db.session.scalars(
        sa.select(Statement).where(
            Statement.id.in_(ids), Statement.payee == "canteen",
            wrong | (Statement.deducted_fen != 0),
        ).execution_options(populate_existing=True)
    ).all()  # fmt: skip
    known = rules.by_ids(row.rule_id for row in rows)
    return [
        Missing(row.id, "extrapolation", 1)
        for row in rows
        if known[row.rule_id].extrapolate and not extrapolating.of(row).settled
    ]
