"""Checks of where the money goes, and of months that stand out."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import Canteen, Operator
from canteen.checks.parts import Check, Scope, found, key, nearest
from canteen.checks.rows import per_canteen, per_crowd, per_elder
from canteen.checks.summing import CELLS, DINERS, PLACES, months_before
from canteen.subsidies.models import Grant
from canteen.words import Text

cell, diner, place = CELLS.c, DINERS.c, PLACES.c


def _shared_account(scope: Scope) -> sa.Select[Any]:
    own, other = aliased(Operator), aliased(Operator)
    same = sa.and_(
        other.payout_account == own.payout_account, other.id != own.id, own.payout_account != "",
    )
    return (
        per_canteen(scope, operator_id=own.id, other_operator_id=other.id, operator=other.name)
        .join(Canteen, Canteen.id == place.canteen_id)
        .join(own, own.id == Canteen.operator_id)
        .join(other, sa.and_(same, other.id == _first_other(own)))
    )  # fmt: skip


def _first_other(own: Any) -> Any:
    """The first other enterprise with this account, so that meals are counted once."""
    other = aliased(Operator)
    return (
        sa.select(sa.func.min(other.id))
        .where(other.payout_account == own.payout_account, other.id != own.id)
        .correlate(own).scalar_subquery()
    )  # fmt: skip


def _elders_operator_account(scope: Scope) -> sa.Select[Any]:
    accounts = sa.select(Operator.payout_account).where(Operator.payout_account != "")
    return per_elder(
        scope, cell.stake_fen, cell.meals, account_fen=cell.account_fen
    ).where(diner.payout_account.in_(accounts))


def _elders_share_account(scope: Scope) -> sa.Select[Any]:
    return per_crowd(
        scope, "account", diner.payout_account, cell.account_fen, cell.account_meals,
        diner.account_fen > 0,
    )


def _no_account(scope: Scope) -> sa.Select[Any]:
    missing = sa.or_(diner.payout_account.is_(None), diner.payout_account == "")
    return per_elder(scope, cell.account_fen, cell.account_meals).where(
        cell.account_fen > 0, missing
    )


def _real(value: Any) -> Any:
    return sa.cast(value, sa.Float)


def _own_past(scope: Scope) -> sa.Select[Any]:
    """Of the months before, `past` counts all rows of grants; what took back among them may be a
    tenth. Counted exactly is only for those who stand out even so."""
    periods = months_before(scope.period)
    grown = sa.select(place.canteen_id).where(
        place.past > 0, place.meals >= scope["meals"],
        place.meals * len(periods) * 10_000 >= place.past * scope["rise_bp"] * 9 // 10,
    )  # fmt: skip
    months = (
        sa.select(Grant.canteen_id, sa.func.sum(Grant.sign).label("meals"))
        .where(Grant.period.in_(periods), Grant.canteen_id.in_(grown))
        .group_by(Grant.canteen_id, Grant.period).subquery()
    )  # fmt: skip
    past = months.c
    count, mean = sa.func.count(), sa.func.avg(_real(past.meals))
    spread = sa.func.avg(_real(past.meals) * past.meals) - mean * mean
    before = (
        sa.select(past.canteen_id, count.label("months"), mean.label("mean"),
                  spread.label("spread"))
        .group_by(past.canteen_id).having(count >= scope["months"]).subquery()
    )  # fmt: skip
    b, n = before.c, place
    above = n.meals - b.mean
    return (
        per_canteen(scope, mean=nearest(b.mean), months=b.months)
        .join(before, b.canteen_id == n.canteen_id)
        .where(
            above > 0, n.meals * 10_000 >= b.mean * scope["rise_bp"], n.meals >= scope["meals"],
            above * above * 100 >= b.spread * scope["sigmas_tenths"] * scope["sigmas_tenths"],
        )
    )  # fmt: skip


def _stands_out(value: Any, scope: Scope, floor: Any) -> sa.Select[Any]:
    """Canteens of which a value lies far above the other canteens of their tier."""
    size = _real(value(place))
    over = {"partition_by": place.tier}
    each = sa.select(
        place.canteen_id, place.tier, place.meals, place.elders, place.stake_fen,
        size.label("size"),
        sa.func.count().over(**over).label("peers"), sa.func.sum(size).over(**over).label("sum"),
        sa.func.sum(size * size).over(**over).label("squares"),
    ).subquery()
    e = each.c
    others = sa.func.nullif(e.peers - 1, 0)
    mean = (e.sum - e.size) / others
    spread = (e.squares - e.size * e.size) / others - mean * mean
    above = e.size - mean
    return found(
        canteen=e.canteen_id, key=key("canteen", e.canteen_id, scope.period), amount=e.stake_fen,
        meals=e.meals, elders=e.elders, tier=e.tier, mean=nearest(mean),
        peers=e.peers - 1,
    ).where(
        e.peers > scope["peers"], above > 0, floor(e), e.size * 10_000 >= mean * scope["rise_bp"],
        above * above * 100 >= spread * scope["sigmas_tenths"] * scope["sigmas_tenths"],
    )  # fmt: skip


def _above_tier(scope: Scope) -> sa.Select[Any]:
    return _stands_out(lambda now: now.meals, scope, lambda e: e.meals >= scope["meals"])


def _meals_an_elder(scope: Scope) -> sa.Select[Any]:
    return _stands_out(
        lambda now: _real(now.meals) / now.elders, scope, lambda e: e.elders >= scope["elders"]
    )


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "money", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "shared_account", Text("两家企业共用收款账户", "Two payees share an account"),
        Text("收款账户与“{operator}”相同，本月有{meals}份补贴餐",
             "The payout account is also that of {operator} ({meals:meal|meals} subsidised)"),
        Text("不同企业不应收到同一账户", "Different enterprises have different accounts"),
        "hold", _shared_account, about="canteen",
    ),
    _check(
        "elders_operator_account", Text("老人账户是企业账户", "The operator's account as elder's"),
        Text("老人登记的收款账户属于一家运营企业，本月在这里补贴到账户{account_fen}元（{meals}份）",
             "The elder's payout account belongs to an operator; {account_fen} yuan to account"
             " ({meals:meal|meals})"),
        Text("给老人的钱到了企业手里", "What is the elder's reaches the operator"),
        "hold", _elders_operator_account, about="elder",
    ),
    _check(
        "elders_share_account", Text("多位老人共用收款账户", "Many elders share an account"),
        Text("{elders}位老人使用同一收款账户，本月在这里有{meals}份补贴到账户",
             "{elders} elders share one payout account ({meals:meal|meals} of here paid to it)"),
        Text("夫妻共用正常，成批共用可疑", "A couple may, a crowd may not"),
        "warn", _elders_share_account, elders=3, about="elders",
    ),
    _check(
        "no_account", Text("补贴到账户但没有账户", "Paid to account without an account"),
        Text("老人在这里有{meals}份补贴应打到账户，但没有登记收款账户",
             "{meals:meal is|meals are} to be paid to the elder's account, but none is on file"),
        Text("付款会失败，应先补登", "The payment would fail; put it on file first"),
        "warn", _no_account, about="elder",
    ),
    _check(
        "above_own_past", Text("远高于自己的过去", "Far above its own past"),
        Text("本月{meals}份补贴餐，过去{months}个月平均{mean}份",
             "{meals:meal|meals} subsidised this month;"
             " {mean} on average over {months:month|months}"),
        Text("与该食堂过去六个月相比的统计离群", "A statistical outlier against its own months"),
        "warn", _own_past, months=3, meals=50, rise_bp=15_000, sigmas_tenths=30, about="canteen",
    ),
    _check(
        "above_tier", Text("远高于同类食堂", "Far above its tier"),
        Text("本月{meals}份补贴餐，其余{peers}家{tier}类食堂平均{mean}份",
             "{meals:meal|meals} subsidised; the other {peers} canteens of"
             " tier {tier} average {mean}"),
        Text("与同类其余食堂相比的统计离群", "A statistical outlier against its tier"),
        "warn", _above_tier, peers=5, meals=200, rise_bp=20_000, sigmas_tenths=40, about="canteen",
    ),
    _check(
        "meals_an_elder", Text("人均餐数远高于同类", "Far more meals an elder than its tier"),
        Text("{elders}位老人用了{meals}份补贴餐，其余{peers}家{tier}类食堂人均{mean}份",
             "{meals:meal|meals} for {elders} elders; the other {peers} canteens of tier {tier}"
             " average {mean} an elder"),
        Text("少数人的卡被反复使用", "A few cards used again and again"),
        "warn", _meals_an_elder, peers=5, elders=5, rise_bp=20_000, sigmas_tenths=40,
        about="canteen",
    ),
)  # fmt: skip
