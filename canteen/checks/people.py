"""Checks of who ate: alive, living here, entitled on the day, once on the register."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.checks import spelling
from canteen.checks.gathering import MEALS
from canteen.checks.parts import Check, Look, Scope, among, found, key
from canteen.checks.policies import Body, ages, any_of, asked, groups, of_group, policies_that
from canteen.checks.rows import meal, per_elder
from canteen.checks.summing import CELLS, DINERS
from canteen.elders.models import Elder, ElderFact
from canteen.words import Text

m, p, cell = MEALS.c, DINERS.c, CELLS.c
KINDS = ("category", "care_level", "disability_grade")
# What rests on the dated facts of the register alone, and falls with them.
BY_FACTS = ("deceased", "moved_away", "in_institution", "long_term_care", "lacks_category")


def _holding(kind: str, value: str | None, *, next_day: bool = False) -> Any:
    """Whether a fact of the elder holds on the meal's day; a status from the day after its date."""
    since = ElderFact.valid_from < m.on if next_day else ElderFact.valid_from <= m.on
    until = sa.or_(ElderFact.valid_to.is_(None), ElderFact.valid_to >= m.on)
    conditions = [ElderFact.elder_id == m.elder_id, ElderFact.kind == kind, since, until]
    if value is not None:
        conditions.append(ElderFact.value == value)
    return sa.and_(*conditions)


def _has(kind: str, *conditions: Any) -> Any:
    """Whether an elder of DINERS has such a fact that began before their last meal."""
    return sa.exists().where(
        ElderFact.elder_id == p.elder_id, ElderFact.kind == kind,
        ElderFact.valid_from <= p.last_on, *conditions,
    )  # fmt: skip


def _status(value: str) -> Look:
    @among("elder", lambda scope: _has("status", ElderFact.value == value))
    def find(scope: Scope) -> sa.Select[Any]:
        return meal(since_on=ElderFact.valid_from).join(
            ElderFact, _holding("status", value, next_day=True)
        )

    return find


@among("elder", lambda scope: _has("status", ElderFact.value == "in_institution"))
def _in_institution(scope: Scope) -> sa.Select[Any]:
    excluding = policies_that(scope, lambda body: "in_institution" in body.get("exclude", ()))
    holds = _holding("status", "in_institution", next_day=True)
    return meal(since_on=ElderFact.valid_from).join(ElderFact, holds).where(
        m.policy_id.in_(excluding)
    )


@among("elder", lambda scope: _has("long_term_care"))
def _long_term_care(scope: Scope) -> sa.Select[Any]:
    excluding = policies_that(scope, lambda body: "long_term_care" in body.get("exclude", ()))
    holds = _holding("long_term_care", None)
    return meal(since_on=ElderFact.valid_from).join(ElderFact, holds).where(
        m.policy_id.in_(excluding)
    )


def _may_be_wrong_age(group: Body) -> Any:
    least, most = ages(group)
    if (least, most) == (0, 200):
        return None
    young = spelling.age_on(p.birth_date, p.first_on) < least
    return young | (spelling.age_on(p.birth_date, p.last_on) > most)


@among("elder", lambda scope: of_group(scope, _may_be_wrong_age))
def _wrong_age(scope: Scope) -> sa.Select[Any]:
    age = spelling.age_on(Elder.birth_date, m.on)
    outside = [
        sa.and_(m.policy_id == policy, m.group_code == group["code"], ~age.between(*ages(group)))
        for policy, group in groups(scope)
    ]
    return meal(age=age, group=m.group_code).join(Elder, Elder.id == m.elder_id).where(
        any_of(outside)
    )


def _may_lack(group: Body) -> Any:
    lacking = [
        ~_has(
            kind, ElderFact.value.in_(values), ElderFact.valid_from <= p.first_on,
            sa.or_(ElderFact.valid_to.is_(None), ElderFact.valid_to >= p.last_on),
        )
        for kind, values in asked(group)
    ]  # fmt: skip
    return sa.or_(*lacking) if lacking else None


@among("elder", lambda scope: of_group(scope, _may_lack))
def _lacks_category(scope: Scope) -> sa.Select[Any]:
    wanting = []
    for policy, group in groups(scope):
        lacking = [
            ~sa.exists().where(_holding(kind, None), ElderFact.value.in_(values))
            for kind, values in asked(group)
        ]
        if lacking:
            wanting.append(
                sa.and_(m.policy_id == policy, m.group_code == group["code"], sa.or_(*lacking))
            )
    return meal(group=m.group_code).where(any_of(wanting))


def _is_outside(household: Any, group: Body) -> Any:
    if not group.get("household"):
        return None
    return sa.and_(*(~household.startswith(prefix) for prefix in group["household"]))


@among("elder", lambda scope: of_group(scope, lambda group: _is_outside(p.household, group)))
def _household(scope: Scope) -> sa.Select[Any]:
    outside = [
        sa.and_(
            m.policy_id == policy, m.group_code == group["code"],
            _is_outside(Elder.household, group),
        )
        for policy, group in groups(scope) if group.get("household")
    ]  # fmt: skip
    return meal(household=Elder.household).join(Elder, Elder.id == m.elder_id).where(
        any_of(outside)
    )


def _recorded_late(scope: Scope) -> Any:
    recorded = spelling.epoch(ElderFact.recorded_at)
    return sa.exists().where(
        ElderFact.elder_id == p.elder_id, ElderFact.kind.in_(KINDS),
        recorded > p.first_at + scope["days"] * spelling.DAY_S,
    )  # fmt: skip


@among("elder", _recorded_late)
def _backdated(scope: Scope) -> sa.Select[Any]:
    late = aliased(ElderFact)
    recorded = spelling.epoch(late.recorded_at)
    behind = scope["days"] * spelling.DAY_S
    first = (
        sa.select(late.id)
        .where(
            late.elder_id == m.elder_id, late.valid_from <= m.on, late.kind.in_(KINDS),
            sa.or_(late.valid_to.is_(None), late.valid_to >= m.on),
            recorded > m.at + behind,
        )
        .order_by(late.id).limit(1).correlate(MEALS).scalar_subquery()
    )  # fmt: skip
    return meal(
        fact=ElderFact.value, since_on=ElderFact.valid_from,
        recorded_at=spelling.epoch(ElderFact.recorded_at),
    ).join(ElderFact, ElderFact.id == first)


@among("elder", lambda scope: p.registered_at > p.first_at)
def _registered_later(scope: Scope) -> sa.Select[Any]:
    registered = spelling.epoch(Elder.registered_at)
    return meal(registered_at=registered).join(Elder, Elder.id == m.elder_id).where(
        registered > m.at
    )


@among("elder", lambda scope: spelling.age_on(p.birth_date, p.last_on) >= scope["age"])
def _very_old(scope: Scope) -> sa.Select[Any]:
    age = spelling.age_on(Elder.birth_date, m.on)
    return (
        found(
            canteen=m.canteen_id, elder=m.elder_id,
            key=key("elder", m.elder_id, m.canteen_id, scope.period),
            amount=sa.func.sum(m.stake_fen), age=sa.func.max(age), meals=sa.func.count(),
        )
        .join(Elder, Elder.id == m.elder_id).where(age >= scope["age"])
        .group_by(m.elder_id, m.canteen_id)
    )  # fmt: skip


def _twice_registered(scope: Scope) -> sa.Select[Any]:
    other = aliased(DINERS).c
    same = sa.and_(
        other.name == p.name, other.birth_date == p.birth_date, other.elder_id < p.elder_id
    )
    twins = (
        sa.select(p.elder_id, sa.func.min(other.elder_id).label("other_elder_id"))
        .join(other.elder_id.table, same).group_by(p.elder_id).subquery()
    )
    t = twins.c
    return per_elder(
        scope, cell.stake_fen, cell.meals, other_elder_id=t.other_elder_id
    ).join(twins, t.elder_id == cell.elder_id)


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "people", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "deceased", Text("身故后用餐", "A meal after death"),
        Text("老人已于{since_on}去世，{meal_on}仍有一份补贴餐",
             "The elder died on {since_on}; a meal was subsidised on {meal_on}"),
        Text("补贴只给在世的人；去世当天仍可用餐",
             "Only the living are subsidised; the day of death itself still counts"),
        "hold", _status("deceased"),
    ),
    _check(
        "moved_away", Text("迁出后用餐", "A meal after moving away"),
        Text("老人已于{since_on}迁出，{meal_on}仍有一份补贴餐",
             "The elder moved away on {since_on}; a meal was subsidised on {meal_on}"),
        Text("补贴随户籍，迁出后不再享受", "The subsidy goes with the household register"),
        "hold", _status("moved"),
    ),
    _check(
        "in_institution", Text("入住机构期间用餐", "A meal while in an institution"),
        Text("老人自{since_on}起住在养老机构，{meal_on}仍有一份补贴餐",
             "In a care institution since {since_on}; a meal was subsidised on {meal_on}"),
        Text("养老机构供餐，政策不再补贴", "The institution feeds its people; the policy excludes"),
        "hold", _in_institution,
    ),
    _check(
        "long_term_care", Text("享受长护险期间用餐", "A meal while under long-term-care insurance"),
        Text("老人自{since_on}起享受长期护理保险，{meal_on}仍有一份补贴餐",
             "Under long-term-care insurance since {since_on}; subsidised on {meal_on}"),
        Text("两项待遇不能同时享受", "The policy excludes who has this benefit"),
        "hold", _long_term_care,
    ),
    _check(
        "wrong_age", Text("年龄不符", "Age not of the group"),
        Text("{meal_on}老人{age}岁，不在{group}类的年龄范围内",
             "Aged {age} on {meal_on}, outside the ages of group {group}"),
        Text("按出生日期独立复算当天周岁", "Full years on the day, recounted from the birth date"),
        "hold", _wrong_age,
    ),
    _check(
        "lacks_category", Text("当天没有所需身份", "Category not held on the day"),
        Text("{meal_on}按{group}类补贴，但登记册上当天没有该类所需的身份或等级",
             "Subsidised as group {group} on {meal_on}, without the category or level it asks"),
        Text("按登记册的生效日期独立复核", "Checked again against the dated facts of the register"),
        "hold", _lacks_category,
    ),
    _check(
        "household_outside", Text("户籍不在范围内", "Household elsewhere"),
        Text("户籍地为{household}，{meal_on}的补贴只给本地户籍",
             "Household {household}; the subsidy of {meal_on} is for local households"),
        Text("补贴类别要求本地户籍", "The group is for the city's own households"),
        "hold", _household,
    ),
    _check(
        "backdated_fact", Text("身份事后补录", "A fact recorded later with effect on the day"),
        Text("“{fact}”的生效日期为{since_on}，但在用餐后的{recorded_at}才录入",
             "“{fact}” holds from {since_on} but was recorded on {recorded_at}, after the meal"),
        Text("倒签的身份可能是为已发生的用餐补手续", "Papers may be made up after the meal"),
        "warn", _backdated, days=30,
    ),
    _check(
        "registered_later", Text("登记前用餐", "A meal before registration"),
        Text("老人{registered_at}才登记入册，{meal_on}已有补贴餐",
             "Registered on {registered_at}, but subsidised for {meal_on} before that"),
        Text("未登记的人不能享受补贴", "Nobody is subsidised before being registered"),
        "hold", _registered_later,
    ),
    _check(
        "very_old", Text("高龄待核实", "Very old: still alive?"),
        Text("老人已{age}岁，本月在这里有{meals}份补贴餐，请核实是否健在",
             "Aged {age}, {meals:meal|meals} subsidised here: please see that they are well"),
        Text("去世未报最常见于高龄", "Unreported deaths are most frequent among the oldest"),
        "warn", _very_old, age=105, about="elder",
    ),
    _check(
        "twice_registered", Text("疑似重复登记", "Perhaps registered twice"),
        Text("与{other_elder_id}号老人同名且同日出生，两人本月都有补贴餐（本人{meals}份）",
             "Same name and birth date as elder {other_elder_id}; both were subsidised this month"
             " ({meals:meal|meals} here)"),
        Text("同一人用两个身份可绕过次数上限", "One person under two numbers escapes the caps"),
        "warn", _twice_registered, about="elder",
    ),
)  # fmt: skip
