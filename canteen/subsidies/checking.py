"""What the shape of a policy cannot say: keys that contradict each other or lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from canteen.subsidies.parts import (
    EVERYONE,
    ByBand,
    ByGrade,
    ByTier,
    Conditions,
    GateAtSetPrice,
    GateServices,
    GateTiers,
    Part,
    Rest,
)
from canteen.subsidies.shapes import CATEGORIES, Caps, Overlay, Policy
from canteen.words import Text


class Defect(NamedTuple):
    """One thing wrong with a file: the path of its key, and why."""

    path: str
    reason: Text


def defects_of(document: Policy | Overlay) -> list[Defect]:
    """Everything wrong with one file that can be seen in it alone; empty when it is sound."""
    return [Defect(path, reason) for path, reason in _all(document)]


Found = Iterator[tuple[str, Text]]


def _all(document: Policy | Overlay) -> Found:
    if document.effective_to and document.effective_to < document.effective_from:
        yield "effective_to", Text("早于开始日期", "This is before effective_from")
    for key, value, most in (("name", document.code, 60), ("document", document.document, 200)):
        if len(value) > most:
            yield (
                key,
                Text("超过{most}个字", "This is longer than {most} characters").format(most=most),
            )
    known = set(CATEGORIES) | {c.code for c in document.categories}
    yield from _repeated("categories", [c.code for c in document.categories], ".code")
    for i, category in enumerate(document.categories):
        if category.code in CATEGORIES:
            yield f"categories[{i}].code", Text("这是通用类别，不必再列", "This category is common")
    yield from _repeated("eligibility", [g.code for g in document.eligibility], ".code")
    for i, group in enumerate(document.eligibility):
        yield from _conditions(f"eligibility[{i}]", group, known)
    # An overlay may name groups of its base; those are judged once both are merged.
    groups = {g.code for g in document.eligibility} if isinstance(document, Policy) else None
    for table in ("layers", "enterprise", "delivery"):
        parts: tuple[Part, ...] = getattr(document, table)
        yield from _repeated(table, [p.code for p in parts], ".code")
        for i, part in enumerate(parts):
            yield from _part(f"{table}[{i}]", part, groups)
            for j, who in enumerate(getattr(part, "who", ())):
                yield from _conditions(f"{table}[{i}].who[{j}]", who, known)
            scale = [row.grade for row in getattr(part, "grade_scale", ())]
            yield from _repeated(f"{table}[{i}].grade_scale", scale, ".grade")
    yield from _gates(document, groups)
    if document.caps:
        yield from _caps(document.caps)
    if isinstance(document, Policy):
        yield from _whole(document)
    elif not (
        document.eligibility
        or document.layers
        or document.enterprise
        or document.delivery
        or document.gates
        or document.caps
        or document.standard_set
    ):
        yield "extends", Text("叠加文件没有增加任何内容", "This overlay adds nothing")


def _whole(policy: Policy) -> Found:
    if not policy.meals:
        yield "meals", Text("至少要有一个餐次", "At least one meal must be named")
    yield from _repeated("meals", policy.meals)
    yield from _repeated("exclude", policy.exclude)
    if not policy.eligibility:
        yield "eligibility", Text("至少要有一类对象", "At least one group must be named")
    if not (policy.layers or policy.enterprise):
        yield (
            "layers",
            Text(
                "没有任何补贴：请写 layers 或 enterprise",
                "Nobody is paid: write layers or enterprise",
            ),
        )
    outside = {m for p in _parts(policy) for m in p.meals} - set(policy.meals)
    if outside:
        yield (
            "meals",
            Text(
                "缺少 {meals}，但有补贴按它计", "{meals} is missing though a part is paid for it"
            ).format(meals=", ".join(sorted(outside))),
        )
    served = [set(g.services) for g in policy.gates if isinstance(g, GateServices) and not g.groups]
    if policy.delivery and any("delivery" not in services for services in served):
        yield (
            "delivery",
            Text(
                "gates 不允许送餐，送餐补贴永远不会发放",
                "The gates allow no delivery, so this is never paid",
            ),
        )


def _parts(policy: Policy) -> Sequence[Part]:
    return (*policy.layers, *policy.enterprise, *policy.delivery)


def _conditions(path: str, asked: Conditions, known: set[str]) -> Found:
    yield from _ages(path, asked)
    for key in ("any_categories", "all_categories"):
        for i, code in enumerate(getattr(asked, key)):
            if code not in known:
                yield (
                    f"{path}.{key}[{i}]",
                    Text(
                        "未知类别 {code}；本地类别请列在 categories",
                        "Unknown category {code}; list local ones under categories",
                    ).format(code=code),
                )


def _ages(path: str, asked: Any) -> Found:
    if asked.max_age is not None and asked.max_age < asked.min_age:
        yield f"{path}.max_age", Text("小于 min_age", "This is below min_age")


def _part(path: str, part: Part, groups: set[str] | None) -> Found:
    if not part.funders:
        yield f"{path}.funders", Text("至少要有一个出资方", "At least one funder must be named")
    yield from _repeated(f"{path}.funders", [f.code for f in part.funders], ".code")
    total = sum(f.share_bp for f in part.funders)
    if part.funders and total != 10_000:
        yield (
            f"{path}.funders",
            Text(
                "各方比例之和为 {total}，应为 10000", "The shares sum to {total}, not to 10000"
            ).format(total=total),
        )
    yield from _groups(f"{path}.groups", part.groups, groups)
    amount: Any = part.amount  # type: ignore[attr-defined]
    path = f"{path}.amount"
    if isinstance(amount, ByBand):
        if not amount.bands:
            yield f"{path}.bands", Text("至少要有一档", "At least one band must be written")
        for i, band in enumerate(amount.bands):
            yield from _ages(f"{path}.bands[{i}]", band)
            yield from _groups(f"{path}.bands[{i}].groups", band.groups, groups)
            earlier = amount.bands[:i]
            if any(_covers(other, band) for other in earlier):
                yield (
                    f"{path}.bands[{i}]",
                    Text("前面的档已全部覆盖，永远用不到", "An earlier band covers all of it"),
                )
    if isinstance(amount, ByTier):
        if not amount.tiers:
            yield f"{path}.tiers", Text("至少要有一级", "At least one tier must be written")
        yield from _repeated(f"{path}.tiers", [row.tier for row in amount.tiers], ".tier")
    if isinstance(amount, ByGrade):
        if not amount.grades:
            yield f"{path}.grades", Text("至少要有一个等次", "At least one grade must be written")
        yield from _repeated(f"{path}.grades", [row.grade for row in amount.grades], ".grade")
    if (
        isinstance(amount, Rest)
        and amount.up_to_price_fen is not None
        and amount.diner_pays_fen >= amount.up_to_price_fen
    ):
        yield (
            f"{path}.diner_pays_fen",
            Text(
                "不小于 up_to_price_fen,永远没有剩余",
                "Not below up_to_price_fen, so nothing is left",
            ),
        )


def _covers(wide: Any, narrow: Any) -> bool:
    """Whether everyone of one band already falls into another."""
    top = 999
    return (
        (not wide.groups or (bool(narrow.groups) and set(narrow.groups) <= set(wide.groups)))
        and wide.min_age <= narrow.min_age
        and (wide.max_age or top) >= (narrow.max_age or top)
    )


def _gates(document: Policy | Overlay, groups: set[str] | None) -> Found:
    for i, gate in enumerate(document.gates):
        yield from _groups(f"gates[{i}].groups", gate.groups, groups)
        if isinstance(gate, GateServices) and not gate.services:
            yield f"gates[{i}].services", Text("至少写一种", "At least one must be named")
        if isinstance(gate, GateTiers) and not gate.tiers:
            yield f"gates[{i}].tiers", Text("至少写一级", "At least one must be named")
        if (
            isinstance(gate, GateAtSetPrice)
            and isinstance(document, Policy)
            and document.standard_set is None
        ):
            yield (
                f"gates[{i}].kind",
                Text(
                    "需要 standard_set 作为价格依据", "This gate needs a standard_set to judge by"
                ),
            )


def _caps(caps: Caps) -> Found:
    order = ("per_meal", "per_day", "per_week", "per_month")
    known = [(key, getattr(caps, key)) for key in order if getattr(caps, key) is not None]
    for (shorter, small), (longer, large) in pairwise(known):
        if large < small:
            yield (
                f"caps.{longer}",
                Text("小于 {other}", "This is below {other}").format(other=shorter),
            )


def _groups(path: str, named: Sequence[str], groups: set[str] | None) -> Found:
    yield from _repeated(path, named)
    if EVERYONE in named and len(named) > 1:
        yield path, Text("“*”之外不必再列", "Beside “*” nothing else may be named")
    for i, code in enumerate(named):
        if groups is not None and code != EVERYONE and code not in groups:
            yield (
                f"{path}[{i}]",
                Text(
                    "没有代码为 {code} 的对象类别", "There is no group with the code {code}"
                ).format(code=code),
            )


def _repeated(path: str, values: Sequence[Any], key: str = "") -> Found:
    for i, value in enumerate(values):
        if value in values[:i]:
            yield (
                f"{path}[{i}]{key}",
                Text("{value} 重复", "{value} is repeated").format(value=value),
            )
