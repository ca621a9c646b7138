"""A policy in plain sentences for anybody to read: who gets how much, when, how often, from where.

Everything is said from the policy's data; nothing here knows any one city.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from canteen.money import yuan
from canteen.subsidies.explaining import FUNDERS, MEALS, SERVICES, listed, percent
from canteen.subsidies.parts import (
    EVERYONE,
    Amount,
    Band,
    ByBand,
    ByGrade,
    ByTier,
    Flat,
    Gate,
    GateAboveSubsidy,
    GateAtSetPrice,
    GateServices,
    GateSpend,
    Layer,
    Percent,
    UpTo,
)
from canteen.subsidies.shapes import Policy
from canteen.words import Text, day

GRADES = {
    "excellent": Text("优秀", "excellent"), "good": Text("良好", "good"),
    "pass": Text("合格", "pass"), "fail": Text("不合格", "fail"),
}
TIERS = {1: Text("一类", "tier 1"), 2: Text("二类", "tier 2"), 3: Text("三类", "tier 3")}
DAYS = {
    "every_day": Text("每天都可以用", "Every day of the week"),
    "weekdays": Text("周一至周五可以用", "Monday to Friday"),
    "working_days": Text("只在工作日可以用", "Working days only"),
}
EXCLUDED = {
    "in_institution": Text("住在养老机构期间", "While living in a care institution"),
    "long_term_care": Text(
        "享受长期护理保险期间", "While covered by long-term-care insurance"
    ),
}
PLACES = {
    "home_district": Text("只在户籍所在区用餐时", "only when eating in the home district"),
    "home_street": Text("只在户籍所在街道用餐时", "only when eating in the home street or town"),
}
EVERYBODY = Text("所有补贴对象", "Everyone entitled")


@dataclass(frozen=True)
class Described:
    """A policy as people read it; each list holds whole sentences."""

    title: Text
    document: str
    since: Text
    who: tuple[Text, ...]
    how_much: tuple[Text, ...]
    when: tuple[Text, ...]
    conditions: tuple[Text, ...]
    never: tuple[Text, ...]


def describe(policy: Policy, standard_set_fen: int | None = None) -> Described:
    """The sentences of a policy. `standard_set_fen` is the district's standard set, where known."""
    set_fen = standard_set_fen
    if set_fen is None and policy.standard_set:
        set_fen = policy.standard_set.default_fen
    return Described(
        title=policy.title.text,
        document=policy.document,
        since=since(policy.effective_from),
        who=tuple(group.title.text for group in policy.eligibility),
        how_much=tuple(s for layer in policy.layers for s in _layer(policy, layer)),
        when=_when(policy),
        conditions=(*(_gate(gate, set_fen) for gate in policy.gates), _delivered(policy)),
        never=tuple(EXCLUDED[code] for code in policy.exclude),
    )


def since(on: date) -> Text:
    """From when a policy holds."""
    return Text("{on}起执行", "In force since {on}").format(on=day(on, year=True))


def _layer(policy: Policy, layer: Layer) -> list[Text]:
    """The sentences of one part of the subsidy: amount, for whom, who pays."""
    where = [PLACES[layer.place]] if layer.place in PLACES else []
    where += _limits(layer)
    payers = listed([FUNDERS.get(f.code, Text(f.code, f.code)) for f in layer.funders])
    whom = _names(policy, layer.groups)
    said = []
    for amount in amounts(policy, layer.amount):
        sentence = Text("{title}：{amount}", "{title}: {amount}").format(
            title=layer.title.text, amount=amount
        )
        if whom and len(policy.layers) > 1:
            sentence = _with(sentence, Text("限{whom}", "for {whom}").format(whom=whom))
        for limit in where:
            sentence = _with(sentence, limit)
        said.append(_with(sentence, Text("由{who}出", "paid by {who}").format(who=payers)))
    return said


def _with(sentence: Text, more: Text) -> Text:
    return Text(f"{sentence.zh}，{more.zh}", f"{sentence.en}, {more.en}")


def _names(policy: Policy, groups: Sequence[str]) -> Text | None:
    """The group meant by its title, several by their places in `who`; None for everyone."""
    titles = {group.code: group.title.text for group in policy.eligibility}
    if not groups or EVERYONE in groups or set(groups) >= set(titles):
        return None
    if len(groups) == 1:
        return titles.get(groups[0], Text(groups[0], groups[0]))
    places = [str(n) for n, code in enumerate(titles, 1) if code in groups]
    numbers = listed([Text(place, place) for place in places])
    return Text("第 {n} 类人", "groups {n}").format(n=numbers)


def _limits(layer: Layer) -> list[Text]:
    limits = []
    if layer.meals:
        meals = listed([MEALS[meal] for meal in layer.meals])
        limits.append(Text("限{meals}", "for {meals}").format(meals=meals))
    if layer.services:
        ways = listed([SERVICES[service] for service in layer.services], "or")
        limits.append(Text("限{ways}", "for {ways}").format(ways=ways))
    if layer.tiers:
        tiers = listed([TIERS[tier] for tier in layer.tiers], "or")
        limits.append(Text("限{tiers}食堂", "at canteens of {tiers}").format(tiers=tiers))
    return limits


def amounts(policy: Policy, amount: Amount) -> list[Text]:
    """How much, as one sentence or one for each row."""
    if isinstance(amount, Flat):
        return [Text("每餐 {fen} 元", "{fen} yuan a meal").format(fen=yuan(amount.fen))]
    if isinstance(amount, Percent):
        text = Text("餐费的 {rate}%", "{rate} % of the price")
        text = text.format(rate=percent(amount.rate_bp))
        return [_up_to(text, amount.ceiling_fen)]
    if isinstance(amount, UpTo):
        text = Text("花多少补多少，每餐最多 {fen} 元", "What you spend, up to {fen} yuan a meal")
        return [text.format(fen=yuan(amount.fen))]
    if isinstance(amount, ByBand):
        return [_band(policy, band) for band in amount.bands]
    if isinstance(amount, ByTier):
        row = Text("{tier}食堂每餐 {fen} 元", "{fen} yuan a meal at a canteen of {tier}")
        return [row.format(tier=TIERS[r.tier], fen=yuan(r.fen)) for r in amount.tiers]
    if isinstance(amount, ByGrade):
        row = Text("评估{grade}的食堂每餐 {fen} 元", "{fen} yuan a meal where graded {grade}")
        return [row.format(grade=GRADES[r.grade], fen=yuan(r.fen)) for r in amount.grades]
    text = Text("其余由补贴补足，您自己付 {fen} 元", "The rest is paid; {fen} yuan is left to you")
    return [_up_to(text.format(fen=yuan(amount.diner_pays_fen)), amount.ceiling_fen)]


def _up_to(text: Text, ceiling_fen: int | None) -> Text:
    if ceiling_fen is None:
        return text
    return _with(text, Text("最多 {fen} 元", "at most {fen} yuan").format(fen=yuan(ceiling_fen)))


def _band(policy: Policy, band: Band) -> Text:
    whom = _names(policy, band.groups) or _ages(band.min_age, band.max_age) or EVERYBODY
    text = Text("{whom}每餐 {fen} 元", "{whom}: {fen} yuan a meal").format(
        whom=whom, fen=yuan(band.fen)
    )
    if band.min_spend_fen:
        least = Text("满 {fen} 元可用", "from a spend of {fen} yuan")
        text = _with(text, least.format(fen=yuan(band.min_spend_fen)))
    return text


def _ages(least: int, most: int | None) -> Text | None:
    if most is None:
        return Text(f"{least}周岁及以上", f"Aged {least} and over") if least else None
    return Text(f"{least}至{most}周岁", f"Aged {least} to {most}")


def _when(policy: Policy) -> tuple[Text, ...]:
    """Which meals, which days, how often."""
    meals = listed([MEALS[meal] for meal in policy.meals], "or")
    said = [Text("可用于{meals}", "For {meals}").format(meals=meals), DAYS[policy.days]]
    caps = policy.caps
    if caps.per_meal:
        said.append(_at_most("每餐", "a meal", caps.per_meal))
    if caps.per_day:
        said.append(_at_most("每天", "a day", caps.per_day))
    if caps.per_week:
        said.append(_at_most("每周（周一至周日）", "a week (Monday to Sunday)", caps.per_week))
        said.append(Text("本周没用完的，下周不累计", "What is unused is not carried over"))
    if caps.per_month:
        said.append(_at_most("每月", "a month", caps.per_month))
    return tuple(said)


def _at_most(zh: str, en: str, times: int) -> Text:
    return Text(f"{zh}最多 {times} 次", "Once " + en if times == 1 else f"{times} times {en}")


def _gate(gate: Gate, set_fen: int | None) -> Text:
    if isinstance(gate, GateAtSetPrice):
        if set_fen is None:
            return Text("餐费不低于本区标准套餐价", "The meal costs at least the standard set")
        text = Text(
            "餐费不低于标准套餐价 {fen} 元", "The meal costs at least the standard set, {fen} yuan"
        )
        return text.format(fen=yuan(set_fen))
    if isinstance(gate, GateAboveSubsidy):
        return Text("消费要超过补贴金额", "You spend more than the subsidy")
    if isinstance(gate, GateSpend):
        return Text("消费满 {fen} 元", "You spend at least {fen} yuan").format(fen=yuan(gate.fen))
    if isinstance(gate, GateServices):
        ways = listed([SERVICES[service] for service in gate.services], "or")
        return Text("只限{ways}", "Only for {ways}").format(ways=ways)
    tiers = listed([TIERS[tier] for tier in gate.tiers], "or")
    return Text("只限{tiers}食堂", "Only at canteens of {tiers}").format(tiers=tiers)


def _delivered(policy: Policy) -> Text:
    if policy.delivered == "account":
        return Text("补贴之后打到老人账户", "The subsidy is paid to the elder's account later")
    return Text("结账时直接减，不用先垫付", "Taken off at the till; nothing to claim later")
