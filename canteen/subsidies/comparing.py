"""Two policies side by side in plain sentences: what is no longer said, and what is new."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import msgspec

from canteen.subsidies.describing import GRADES, amounts, describe
from canteen.subsidies.explaining import CARE_LEVELS, FUNDERS, MEALS, SERVICES, listed, percent
from canteen.subsidies.parts import Bilingual, Conditions, Group, Part
from canteen.subsidies.shapes import Policy
from canteen.words import Text

TABLES = {
    "layers": Text("给老人的补贴", "To the elder"),
    "enterprise": Text("给运营企业的补贴", "To the enterprise"),
    "delivery": Text("送餐补贴", "For delivery"),
}
OWN = {  # digits of a household code: whose it is
    2: Text("本市户籍", "household in the city"), 4: Text("本市户籍", "household in the city"),
    6: Text("本区户籍", "household in the district"),
}
ELSE = Text("其他", "Details")
SEE_TEXT = Text("细节有变化，见政策原文", "Details differ; see the text of the policy")
NAMELESS = Bilingual(zh="x", en="x")


@dataclass(frozen=True)
class Difference:
    """One side of a policy that changes: its sentences that fall away, and those that come."""

    title: Text
    gone: tuple[Text, ...]
    new: tuple[Text, ...]


def differences(before: Policy, after: Policy) -> list[Difference]:
    """Where two policies differ, in the order people ask; empty when they pay the same."""
    found = []
    for (title, old), (_, new) in zip(_sides(before), _sides(after), strict=True):
        if old != new:
            gone = tuple(each for each in old if each not in new)
            come = tuple(each for each in new if each not in old)
            if not (gone or come):  # the same sentences in another order, which may matter
                gone, come = tuple(old), tuple(new)
            found.append(Difference(title, gone, come))
    if not found and _rules(before) != _rules(after):
        found.append(Difference(ELSE, (), (SEE_TEXT,)))
    return found


def _rules(policy: Policy) -> Policy:
    """A policy without what it says of itself, so that two can be compared by what they do."""
    return msgspec.structs.replace(
        policy, name="x", version="1", title=NAMELESS, document="x", source_mark="V",
        territory="000000", effective_from=date.min, effective_to=None, notes=(),
    )  # fmt: skip


def _sides(policy: Policy) -> Iterator[tuple[Text, list[Text]]]:
    said = describe(policy)
    yield Text("谁可以享受", "Who is entitled"), [_group(policy, g) for g in policy.eligibility]
    for table, title in TABLES.items():
        parts: tuple[Part, ...] = getattr(policy, table)
        yield title, [each for part in parts for each in _part(policy, part)]
    yield Text("什么时候、多少次", "When and how often"), list(said.when)
    yield Text("条件", "Conditions"), [*said.conditions, *_set(policy)]
    yield Text("哪些时候没有", "When there is none"), list(said.never)


def _set(policy: Policy) -> Iterator[Text]:
    if policy.standard_set and policy.standard_set.vary_bp:
        text = Text("各区标准套餐价可浮动 {rate}%", "A district may vary the set by {rate} %")
        yield text.format(rate=percent(policy.standard_set.vary_bp))


def _group(policy: Policy, group: Group) -> Text:
    return _with(group.title.text, _asked(policy, group))


def _household(policy: Policy, codes: tuple[str, ...]) -> Text:
    """Whose household registration counts, in words where it is the policy's own ground."""
    if len(codes) == 1 and policy.territory.startswith(codes[0]) and len(codes[0]) in OWN:
        return OWN[len(codes[0])]
    listed_codes = "/".join(codes)
    return Text(f"户籍代码{listed_codes}", f"household code {listed_codes}")


def _asked(policy: Policy, asked: Conditions) -> list[Text]:
    """Everything a group or a delivery asks of a person, also what its title does not say."""
    names, found = policy.category_titles(), []
    if asked.min_age or asked.max_age is not None:
        first, last = asked.min_age, asked.max_age
        ages = Text(f"{first}至{last}岁", f"aged {first} to {last}")
        found.append(Text(f"{first}岁起", f"from {first} on") if last is None else ages)
    if asked.household:
        found.append(_household(policy, asked.household))
    for codes_, joint in ((asked.all_categories, "and"), (asked.any_categories, "or")):
        if codes_:
            found.append(listed([names.get(code, Text(code, code)) for code in codes_], joint))
    if asked.care_levels:
        found.append(listed([CARE_LEVELS[level] for level in asked.care_levels], "or"))
    if asked.disability_grades:
        grades = "/".join(str(grade) for grade in asked.disability_grades)
        found.append(Text(f"残疾{grades}级", f"disability grade {grades}"))
    return found


def _part(policy: Policy, part: Part) -> Iterator[Text]:
    """A sentence for each amount of a part, with who pays which share and where it counts."""
    more = [listed([_funder(funder.code, funder.share_bp) for funder in part.funders])]
    titles = {group.code: group.title.text for group in policy.eligibility}
    if part.groups and set(part.groups) != set(titles):
        more.append(listed([titles.get(code, Text(code, code)) for code in part.groups], "or"))
    for codes, table in ((part.meals, MEALS), (part.services, SERVICES)):
        if codes:
            more.append(listed([table[code] for code in codes], "or"))
    if part.tiers:
        levels = "/".join(str(tier) for tier in part.tiers)
        more.append(Text(f"{levels}级食堂", f"tier {levels}"))
    if part.place != "anywhere":
        here = {"home_district": Text("在户籍区用餐", "eaten in the home district"),
                "home_street": Text("在户籍街道用餐", "eaten in the home street")}  # fmt: skip
        more.append(here[part.place])
    for row in getattr(part, "grade_scale", ()):
        scaled = f"{percent(row.bp)}%"
        more.append(Text(f"{GRADES[row.grade].zh}按{scaled}", f"{GRADES[row.grade].en} {scaled}"))
    for who in getattr(part, "who", ()):
        more.extend(_asked(policy, who))
    for amount in amounts(policy, part.amount):  # type: ignore[attr-defined]
        title = part.title.text
        yield _with(Text(f"{title.zh}：{amount.zh}", f"{title.en}: {amount.en}"), more)


def _funder(code: str, share_bp: int) -> Text:
    name, share = FUNDERS.get(code, Text(code, code)), percent(share_bp)
    return Text(f"{name.zh} {share}%", f"{name.en} {share} %")


def _with(text: Text, more: list[Text]) -> Text:
    if not more:
        return text
    zh, en = "；".join(each.zh for each in more), "; ".join(each.en for each in more)
    return Text(f"{text.zh}({zh})", f"{text.en} ({en})")
