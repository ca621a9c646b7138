"""Checks of the review: the rule's offices, each by other hands; lines put right."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.audit.models import AuditRecord
from canteen.canteens.models import ListingChange
from canteen.db import db
from canteen.elders.models import ElderFact
from canteen.settlements import rules
from canteen.settlements.models import Statement, StatementAmendment, StatementStep
from canteen.settlements.review_models import Appeal, Correction, SampledMeal
from canteen.settlements.rules import OFFICES
from canteen.subsidies.models import Grant
from canteen.verifying.findings import Check, Found, stream
from canteen.words import Text

BY_HAND = ("confirmed", "approved")
BY_RULE = {"consented": "consent", "escalated": "escalate"}
APPROVED = ("approved", "paid", "carried", "repaid")


def _passed() -> Any:
    """(statement_id, stage, verdict, by_label, at) of the passes that hold: none from before the
    last return, none that was taken back."""
    step, later = aliased(StatementStep), aliased(StatementStep)
    answered = sa.exists().where(
        later.statement_id == step.statement_id, later.id > step.id,
        ((later.verdict == "returned") & later.stage.in_(OFFICES))
        | ((later.verdict == "undone") & (later.stage == step.stage)),
    )
    return (
        sa.select(step.statement_id, step.stage, step.verdict, step.by_label,
                  step.at)
        .where(step.verdict.in_((*BY_HAND, *BY_RULE)), step.stage.in_(OFFICES), ~answered)
        .cte("passed")
    )


def following(having: Any) -> Any:
    """The statements whose rule fits, as a condition."""
    ids = db.session.scalars(sa.select(Statement.rule_id).distinct())
    fitting = [id_ for id_, rule in rules.by_ids(ids).items() if having(rule)]
    named = Statement.rule_id.in_([id_ for id_ in fitting if id_ is not None])
    return named | Statement.rule_id.is_(None) if None in fitting else named


def approved_by_chain() -> Found:
    """Nothing is approved without every office of its rule, each by another person; silence only
    where the rule says so; and a statement stands where its last step led."""
    passed = _passed()
    for office in OFFICES:
        has = sa.exists().where(
            passed.c.statement_id == Statement.id, passed.c.stage == office
        )
        ruled = following(lambda rule, office=office: rule.stage(office) is not None)
        beyond = [*OFFICES[OFFICES.index(office) + 1 :], *APPROVED]
        query = sa.select(Statement.id).where(ruled, Statement.stage.in_(beyond), ~has)
        if office == "operator":
            query = query.where(Statement.payee == "canteen")
        for row in stream(query):
            yield f"statement {row.id}", Text(
                "没有经过{office}", "was passed on without the {office}"
            ).format(office=office)
        for verdict, silent in BY_RULE.items():
            allowed = following(
                lambda rule, office=office, silent=silent: (
                    (stage := rule.stage(office)) is not None and stage.silent == silent
                )
            )
            if (office, verdict) == ("operator", "consented"):
                allowed |= _owed_at(passed) | _delisted_at(passed)
            wrong = sa.select(Statement.id).join(
                passed, passed.c.statement_id == Statement.id
            ).where(passed.c.stage == office, passed.c.verdict == verdict, ~allowed)  # fmt: skip
            for row in stream(wrong):
                yield f"statement {row.id}", Text(
                    "{office} 未办理，规则并不允许跳过",
                    "passed the {office} by silence, which its rule does not allow",
                ).format(office=office)
    yield from _hands(passed)
    yield from _places()


def _owed_at(passed: Any) -> Any:
    """Whether a statement came to nothing or less when it was passed: then its operator's silence
    agrees under any rule."""
    since = aliased(StatementAmendment)
    before = (
        sa.select(since.total_before_fen)
        .where(since.statement_id == Statement.id, since.at > passed.c.at)
        .order_by(since.id).limit(1).correlate(Statement, passed).scalar_subquery()
    )  # fmt: skip
    return sa.func.coalesce(before, Statement.total_fen) <= 0


def _delisted_at(passed: Any) -> Any:
    """Whether a statement's canteen was delisted when it was passed; likewise under any rule."""
    change = aliased(ListingChange)
    last = (
        sa.select(change.to_status)
        .where(change.canteen_id == Statement.canteen_id, change.at <= passed.c.at)
        .order_by(change.at.desc(), change.id.desc()).limit(1)
        .correlate(Statement, passed).scalar_subquery()
    )  # fmt: skip
    return sa.func.coalesce(last, "") == "delisted"


def _hands(passed: Any) -> Found:
    first, second, other = aliased(passed), aliased(passed), aliased(StatementStep)
    same = (
        sa.select(first.c.statement_id, first.c.by_label)
        .join(second, sa.and_(second.c.statement_id == first.c.statement_id,
                              second.c.by_label == first.c.by_label,
                              second.c.stage != first.c.stage))
        .where(first.c.verdict.in_(BY_HAND)).distinct()
    )  # fmt: skip
    prepared = sa.select(passed.c.statement_id, passed.c.by_label).join(
        other,
        sa.and_(other.statement_id == passed.c.statement_id, other.verdict == "prepared",
                other.by_label == passed.c.by_label),
    ).where(passed.c.verdict.in_(BY_HAND)).distinct()  # fmt: skip
    for query in (same, prepared):
        for row in stream(query):
            yield f"statement {row.statement_id}", Text(
                "{who} 在不止一个环节经手", "{who} acted at more than one stage"
            ).format(who=row.by_label)
    for row in stream(_raised_and_approved(passed)):
        yield f"statement {row.statement_id}", Text(
            "{who} 调高了金额，又自己批准付款", "{who} raised its sum and approved the payment"
        ).format(who=row.by_label)


def _raised_and_approved(passed: Any) -> Any:
    """Statements whose payment was approved by who raised their sum since the last return, or
    changed the fact of an elder for which the nightly job raised it."""
    amended, step = StatementAmendment, aliased(StatementStep)
    returned = sa.exists().where(
        step.statement_id == amended.statement_id, step.verdict == "returned",
        step.stage.in_(OFFICES), step.at >= amended.at,
    )
    return (
        sa.select(passed.c.statement_id, passed.c.by_label)
        .join(amended, sa.and_(amended.statement_id == passed.c.statement_id,
                               sa.or_(amended.by_label == passed.c.by_label,
                                      _by_their_fact(amended, passed))))
        .where(passed.c.stage == "city", passed.c.verdict.in_(BY_HAND),
               amended.at <= passed.c.at, ~returned)
        .group_by(passed.c.statement_id, passed.c.by_label)
        .having(sa.func.sum(amended.total_after_fen - amended.total_before_fen) > 0)
    )  # fmt: skip


def _by_their_fact(amended: Any, passed: Any) -> Any:
    """Whether meals were given again because of an elder's fact that who passed it had changed
    since the closing."""
    s, trail = aliased(Statement), AuditRecord
    changed = sa.exists().where(
        trail.subject == "elder", trail.subject_id == sa.cast(Grant.elder_id, sa.String(40)),
        trail.act.in_(("record_fact", "end_fact", "withdraw_fact")),
        trail.actor == passed.c.by_label, trail.at.between(s.prepared_at, amended.at),
    )
    recorded = sa.exists().where(
        ElderFact.elder_id == Grant.elder_id, ElderFact.recorded_by == passed.c.by_label,
        ElderFact.recorded_at.between(s.prepared_at, amended.at),
    )
    return sa.and_(
        amended.cause == "late_fact", amended.total_after_fen > amended.total_before_fen,
        sa.exists().where(
            s.id == amended.statement_id, Grant.period == s.period,
            (Grant.canteen_id == s.canteen_id) | (Grant.elder_id == s.elder_id),
            Grant.cause == "late_fact", Grant.sign > 0, Grant.made_at == amended.at,
            changed.correlate(Grant, s, amended, passed)
            | recorded.correlate(Grant, s, amended, passed),
        ).correlate(amended, passed),
    )  # fmt: skip


def _places() -> Found:
    step = aliased(StatementStep)
    last = sa.select(sa.func.max(step.id)).group_by(step.statement_id)
    moved = (
        sa.select(Statement.id, Statement.stage, step.to_stage)
        .outerjoin(step, sa.and_(step.statement_id == Statement.id, step.id.in_(last)))
        .where(sa.func.coalesce(step.to_stage, "") != Statement.stage)
    )
    for row in stream(moved):
        yield f"statement {row.id}", Text(
            "现处 {stage}，但最后一步是到 {to}", "stands at {stage}, its last step led to {to}"
        ).format(stage=row.stage, to=row.to_stage or "—")


def lines_put_right() -> Found:
    """No line that was asked for is open once the operator confirmed; answers are in the sums."""
    open_ = (
        sa.select(Correction.id, Correction.statement_id)
        .join(Statement, Statement.id == Correction.statement_id)
        .where(Correction.state == "asked", Statement.stage != "operator")
    )
    for row in stream(open_):
        yield f"statement {row.statement_id}", Text(
            "第 {n} 条更正没有回复就送审了", "went on although line {n} was not put right"
        ).format(n=row.id)
    given_up = sa.select(Correction.id, Correction.statement_id).where(
        Correction.act == "withdraw",
        ~sa.exists().where(
            Grant.order_id == Correction.order_id, Grant.cause == "corrected",
            Grant.cause_id == Correction.id, Grant.sign < 0,
        ),
    )
    for row in stream(given_up):
        yield f"statement {row.statement_id}", Text(
            "第 {n} 条更正撤回了补贴，但补贴没有收回",
            "line {n} gave a subsidy up that was never taken back",
        ).format(n=row.id)
    denial = aliased(Grant)
    upheld = sa.select(Appeal.id, Appeal.order_id).join(denial, denial.id == Appeal.grant_id).where(
        Appeal.state == "upheld",
        ~sa.exists().where(  # by whatever act: what was given already cannot be given once more
            Grant.order_id == Appeal.order_id, Grant.number > denial.number, Grant.sign > 0,
            Grant.cause != "spread",
        ),
    )
    for row in stream(upheld):
        yield f"order {row.order_id}", Text(
            "申诉成立，补贴却没有补回", "its appeal was upheld but the subsidy not given again"
        )
    judged = sa.select(Appeal.id, Appeal.order_id).join(
        SampledMeal, SampledMeal.order_id == Appeal.order_id
    ).where(
        Appeal.state != "moot",
        SampledMeal.verdict == "wrong", SampledMeal.looked_by == Appeal.decided_by,
        SampledMeal.looked_at <= Appeal.decided_at,
    )  # fmt: skip
    for row in stream(judged):
        yield f"order {row.order_id}", Text(
            "核减的人自己复核了申诉", "whoever denied it decided the appeal too"
        )


CHECKS = (
    Check(
        "approved_by_chain",
        Text("按规则逐级审核、各由一人", "Approved office by office as ruled, by other hands"),
        approved_by_chain,
    ),
    Check("lines_put_right", Text("更正与申诉都已落实", "Lines and appeals were put right"),
          lines_put_right),
)  # fmt: skip
