"""A policy changed by a few numbers: which of its numbers a form may offer, and the text after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from canteen.subsidies.describing import GRADES, TIERS
from canteen.subsidies.explaining import FUNDERS
from canteen.subsidies.reading import read_body
from canteen.subsidies.shapes import Overlay, Policy
from canteen.words import Text

Kind = Literal["yuan", "percent", "years", "times"]
Section = Literal["who", "caps", "gates", "layers", "enterprise", "delivery"]

SECTIONS: dict[str, Text] = {
    "who": Text("谁可以享受", "Who is entitled"),
    "layers": Text("给老人的补贴", "To the elder"),
    "enterprise": Text("给运营企业的补贴", "To the enterprise"),
    "delivery": Text("送餐补贴", "For delivery"),
    "caps": Text("次数上限", "How often"),
    "gates": Text("价格条件", "Price conditions"),
}
CAPS = {
    "per_meal": Text("每餐最多", "At most a meal"),
    "per_day": Text("每天最多", "At most a day"),
    "per_week": Text("每周最多", "At most a week"),
    "per_month": Text("每月最多", "At most a month"),
}
# The numbers of an amount that stand by themselves: key → what it is, how it is written.
NUMBERS: dict[str, dict[str, tuple[Text, Kind, bool]]] = {
    "flat": {"fen": (Text("每餐", "A meal"), "yuan", False)},
    "percent": {
        "rate_bp": (Text("餐费的比例", "Share of the price"), "percent", False),
        "ceiling_fen": (Text("每餐最多", "At most a meal"), "yuan", True),
    },
    "up_to": {"fen": (Text("每餐最多", "Up to, a meal"), "yuan", False)},
    "by_grade": {"ungraded_fen": (Text("未评估", "Not graded"), "yuan", False)},
    "rest": {
        "diner_pays_fen": (Text("食客自付", "Left to the diner"), "yuan", False),
        "up_to_price_fen": (Text("餐费最高计至", "Of a price up to"), "yuan", True),
        "ceiling_fen": (Text("每餐最多", "At most a meal"), "yuan", True),
    },
}


@dataclass(frozen=True)
class Number:
    """One number of a policy: where it stands ("layers.0.amount.fen"), what it is, its value.

    `kind`: "yuan" is fen, "percent" basis points, "years" an age, "times" a count. None: no limit,
    which only an `optional` one may be.
    """

    path: str
    section: Section
    title: Text
    label: Text
    kind: Kind
    value: int | None
    optional: bool = False


def numbers(document: Policy | Overlay) -> list[Number]:
    """Every number of a policy or overlay that can be changed by itself."""
    return [*_who(document), *_parts(document), *_caps(document), *_gates(document)]


def revised(
    document: Policy | Overlay, values: Mapping[str, int | None], /, **head: Any
) -> Policy | Overlay:
    """The text with some numbers changed, by path, and some of its head ("version", "document").

    A group whose title names the age that changes is renamed with it: "80 or over" would be a
    lie at 75. Refuses with PolicyInvalid what contradicts itself, and a path there is none of
    with KeyError.
    """
    body = body_of(document)
    known = {number.path: number for number in numbers(document)}
    for path, value in values.items():
        number = known[path]
        if value == number.value:
            continue
        *way, last = path.split(".")
        place: Any = body
        for key in way:
            place = place[int(key)] if key.isdigit() else place.setdefault(key, {})
        place[last] = value
        if value is None:
            del place[last]
        if number.section == "who" and number.value and value:
            _rename(place["title"], number.value, value)
    return read_body(body | {key: value for key, value in head.items() if value is not None})


def body_of(document: Policy | Overlay) -> dict[str, Any]:
    """A text as the plain JSON values `read_body` makes it of again."""
    return dict(msgspec.json.decode(document.to_json()))


def _rename(title: dict[str, str], old: int, new: int) -> None:
    for language, words in title.items():
        title[language] = re.sub(rf"(?<!\d){old}(?!\d)", str(new), words)


def _who(document: Policy | Overlay) -> Iterator[Number]:
    for i, group in enumerate(document.eligibility):
        for key, label, optional in (
            ("min_age", Text("最低年龄", "From age"), False),
            ("max_age", Text("最高年龄", "To age"), True),
        ):
            yield Number(
                f"eligibility.{i}.{key}", "who", group.title.text, label, "years",
                getattr(group, key), optional,
            )  # fmt: skip


def _parts(document: Policy | Overlay) -> Iterator[Number]:
    tables: tuple[Section, ...] = ("layers", "enterprise", "delivery")
    for table in tables:
        for i, part in enumerate(getattr(document, table)):
            where, title = f"{table}.{i}", part.title.text
            for path, label, kind, value, optional in _amount(part.amount):
                yield Number(f"{where}.amount.{path}", table, title, label, kind, value, optional)
            if len(part.funders) > 1:
                for j, funder in enumerate(part.funders):
                    name = FUNDERS.get(funder.code, Text(funder.code, funder.code))
                    label = Text("{who}承担", "Share of {who}").format(who=name)
                    yield Number(
                        f"{where}.funders.{j}.share_bp", table, title, label, "percent",
                        funder.share_bp,
                    )  # fmt: skip


def _amount(amount: Any) -> Iterator[tuple[str, Text, Kind, int | None, bool]]:
    tag = amount.__struct_config__.tag
    for key, (label, kind, optional) in NUMBERS.get(tag, {}).items():
        yield key, label, kind, getattr(amount, key), optional
    for i, band in enumerate(getattr(amount, "bands", ())):
        ages = f"{band.min_age}–{band.max_age or ''}"
        named = Text("第{n}档", "Band {n}").format(n=i + 1)
        who = Text(f"{named.zh}({ages}岁)", f"{named.en} (aged {ages})")
        yield f"bands.{i}.fen", who, "yuan", band.fen, False
        least = Text(f"{named.zh}起付餐费", f"{named.en}: from a spend of")
        yield f"bands.{i}.min_spend_fen", least, "yuan", band.min_spend_fen, False
    for i, row in enumerate(getattr(amount, "tiers", ())):
        yield f"tiers.{i}.fen", TIERS[row.tier], "yuan", row.fen, False
    for i, row in enumerate(getattr(amount, "grades", ())):
        yield f"grades.{i}.fen", GRADES[row.grade], "yuan", row.fen, False


def _caps(document: Policy | Overlay) -> Iterator[Number]:
    if document.caps is None:  # an overlay that writes none keeps those of its base
        return
    title = SECTIONS["caps"]
    for key, label in CAPS.items():
        value = getattr(document.caps, key)
        yield Number(f"caps.{key}", "caps", title, label, "times", value, True)


def _gates(document: Policy | Overlay) -> Iterator[Number]:
    title = SECTIONS["gates"]
    if document.standard_set:
        label = Text("标准套餐价", "Standard set")
        fen = document.standard_set.default_fen
        yield Number("standard_set.default_fen", "gates", title, label, "yuan", fen)
        label = Text("各区可上下浮动", "A district may vary it by")
        rate = document.standard_set.vary_bp
        yield Number("standard_set.vary_bp", "gates", title, label, "percent", rate)
    for i, gate in enumerate(document.gates):
        if hasattr(gate, "fen"):
            label = Text("消费至少", "A spend of at least")
            yield Number(f"gates.{i}.fen", "gates", title, label, "yuan", gate.fen)
