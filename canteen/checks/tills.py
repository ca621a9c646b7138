"""Checks of the tills: journals, clocks, gaps, and what was sold without network."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.checks import spelling
from canteen.checks.gathering import MEALS
from canteen.checks.parts import Check, Look, Scope, among, found, key, share_bp
from canteen.checks.rows import each_meal, meal
from canteen.checks.summing import PLACES
from canteen.tills.models import Till
from canteen.words import Text

m, place = MEALS.c, PLACES.c


def _late(scope: Scope) -> Any:
    return sa.and_(m.kept, m.lag_s > scope["hours"] * 3600)


def _noted(*codes: str) -> Look:
    """Meals of whose entry the server noted one of these."""
    noted = sa.or_(*(m.notes.contains(f'"{code}"') for code in codes))
    return each_meal(
        lambda scope: sa.and_(m.till_id.is_not(None), m.notes != "[]", noted),
        till_id=m.till_id, number=m.number,
    )


def per_till(scope: Scope, **evidence: Any) -> sa.Select[Any]:
    """One row for each till, under "till:3:2026-10", with the subsidised meals it sold."""
    return (
        found(
            canteen=sa.func.min(m.canteen_id), key=key("till", m.till_id, scope.period),
            amount=sa.func.sum(m.stake_fen), till_id=m.till_id, till=sa.func.min(Till.name),
            meals=sa.func.count(), **evidence,
        )
        .join(Till, Till.id == m.till_id).group_by(m.till_id)
    )  # fmt: skip


def _off(scope: Scope) -> Any:
    return sa.and_(m.till_id.is_not(None), m.notes != "[]", m.notes.contains('"clock_drift"'))


@among("meal", _off)
def _drift(scope: Scope) -> sa.Select[Any]:
    return per_till(scope).where(_off(scope)).having(sa.func.count() >= scope["meals"])


@among("canteen", lambda scope: place.kept > 0)
def _kept_share(scope: Scope) -> sa.Select[Any]:
    kept = sa.func.sum(sa.case((m.kept, 1), else_=0))
    bp = share_bp(kept, sa.func.count())
    return per_till(scope, kept=kept, share_bp=bp).having(
        sa.func.count() >= scope["meals"], bp >= scope["share_bp"]
    )


def _stake() -> Any:
    sold = (
        sa.select(sa.func.sum(m.stake_fen)).where(m.till_id == Till.id)
        .correlate(Till).scalar_subquery()
    )  # fmt: skip
    return sa.func.coalesce(sold, 0)


def _gap(scope: Scope) -> sa.Select[Any]:
    missing = Till.claimed - Till.head
    return found(
        canteen=Till.canteen_id, key=key("till", Till.id, scope.period),
        till_id=Till.id, till=Till.name, missing=missing, head=Till.head,
        seen_at=spelling.epoch(Till.seen_at),
    ).where(missing >= scope["missing"])  # fmt: skip


def _alarm(scope: Scope) -> sa.Select[Any]:
    return found(
        canteen=Till.canteen_id, key=key("till", Till.id, scope.period), amount=_stake(),
        till_id=Till.id, till=Till.name, alarm=Till.alarm, alarm_at=spelling.epoch(Till.alarm_at),
    ).where(
        Till.alarm.is_not(None),
        spelling.day_of(spelling.epoch(Till.alarm_at)) <= spelling.day_count(scope.last),
    )  # fmt: skip


def _lost_one(scope: Scope) -> Any:
    return sa.exists().where(
        Till.canteen_id == place.canteen_id, Till.withdrawn_at.is_not(None)
    )


@among("canteen", _lost_one)
def _withdrawn(scope: Scope) -> sa.Select[Any]:
    gone = spelling.epoch(Till.withdrawn_at)
    return meal(till_id=m.till_id, withdrawn_at=gone).join(Till, Till.id == m.till_id).where(
        Till.withdrawn_at.is_not(None), m.at > gone
    )


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "tills", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "late_upload", Text("断网销售上传过晚", "Uploaded very late"),
        Text("{meal_on}断网售出，{hours}小时后才上传（第{number}号）",
             "Sold without network on {meal_on}, uploaded {hours:hour|hours} later (no. {number})"),
        Text("拖延上传便于补造记录", "Time to make records up"),
        "warn", each_meal(
            _late, till_id=m.till_id, number=m.number, hours=m.lag_s // 3600
        ), hours=48,
    ),
    _check(
        "clock_drift", Text("收银机时钟不准", "The till's clock is off"),
        Text("“{till}”本月有{meals}份补贴餐的时钟偏差超过两分钟",
             "{till}: {meals:meal|meals} subsidised with the clock more than two minutes off"),
        Text("拨动时钟可以改变用餐时间", "A clock set by hand moves meals in time"),
        "warn", _drift, meals=5, about="till",
    ),
    _check(
        "number_gap", Text("收银机编号有缺口", "Numbers missing at a till"),
        Text("“{till}”已收到第{head}号，还有{missing}号没有上传",
             "{till}: received up to number {head}; {missing} more were made and not sent"),
        Text("没有上传的记录须追回", "What was not sent must be asked for"),
        "warn", _gap, missing=1, about="nothing",
    ),
    _check(
        "journal_alarm", Text("收银机流水报警", "A till's journal in alarm"),
        Text("“{till}”的流水自{alarm_at}起报警（{alarm}）",
             "The journal of {till} has been in alarm since {alarm_at} ({alarm})"),
        Text("签名链不符，可能被改动", "The chain of signatures does not hold"),
        "warn", _alarm, about="till",
    ),
    _check(
        "over_allowance", Text("断网补贴超出允许次数", "More than the offline allowance"),
        Text("{meal_on}断网时给的补贴超过区里允许的次数（第{number}号）",
             "Given without network on {meal_on} beyond the district's allowance (no. {number})"),
        Text("断网额度由区里规定", "The district bounds what a till may give by itself"),
        "warn", _noted("over_allowance"),
    ),
    _check(
        "borne_beyond_caps", Text("超出上限由补贴资金承担", "Beyond the caps, borne by the fund"),
        Text("{meal_on}断网时超出次数上限的一餐，由补贴资金承担",
             "A meal beyond the caps on {meal_on}, given without network, borne by the fund"),
        Text("按区规则承担，仍须知情", "By the district's own rule, but it should know"),
        "warn", each_meal(lambda scope: m.beyond, till_id=m.till_id, number=m.number),
    ),
    _check(
        "kept_share", Text("断网销售占比过高", "Mostly sold without network"),
        Text("“{till}”{meals}份补贴餐中有{kept}份（{share_bp}）是断网时售出",
             "{till}: {kept} of {meals} meals ({share_bp}) were sold without network"),
        Text("长期断网可以避开实时核对", "Staying offline avoids being asked"),
        "warn", _kept_share, meals=30, share_bp=5_000, about="till",
    ),
    _check(
        "sold_out_at_till", Text("售罄后仍售出", "Sold after it was sold out"),
        Text("{meal_on}第{number}号售出时已没有余量",
             "No portions were left when number {number} was sold on {meal_on}"),
        Text("收银机流水的备注", "Noted in the till's journal"), "warn", _noted("over_portions"),
    ),
    _check(
        "price_differs", Text("收银机价格与菜单不同", "The till's price differs"),
        Text("{meal_on}第{number}号的菜价与菜单不同",
             "The prices of number {number} on {meal_on} differ from the menu"),
        Text("收银机流水的备注", "Noted in the till's journal"),
        "warn", _noted("price_differs", "menu_differs"),
    ),
    _check(
        "unknown_cashier", Text("收银员不明", "Sold by nobody of the canteen"),
        Text("{meal_on}第{number}号的收银员不属于这家食堂或已停用",
             "The cashier of number {number} on {meal_on} is not of this canteen, or disabled"),
        Text("每份餐须有人负责", "Somebody must answer for each meal"),
        "hold", _noted("unknown_cashier"),
    ),
    _check(
        "after_shift", Text("交班后补入的售卖", "Added after the shift was closed"),
        Text("{meal_on}第{number}号在交班后才上传，不在清点之内",
             "Number {number} of {meal_on} came in after the shift was counted"),
        Text("清点后补入的钱没有对过账", "It was never counted with the drawer"),
        "warn", _noted("shift_closed", "unknown_shift"),
    ),
    _check(
        "withdrawn_till", Text("停用的收银机仍在售卖", "Sold by a withdrawn till"),
        Text("收银机{withdrawn_at}已停用，{meal_on}仍有售卖",
             "The till was withdrawn at {withdrawn_at}; it sold on {meal_on}"),
        Text("丢失或停用的平板不应再售卖", "A lost or withdrawn tablet must not sell"),
        "hold", _withdrawn,
    ),
)  # fmt: skip
