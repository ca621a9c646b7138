"""Sets of policies: no gaps or overlaps in dates, overlays merged, the one in force chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import TypeVar

import msgspec

from canteen.errors import NotFound
from canteen.subsidies.checking import Defect, defects_of
from canteen.subsidies.parts import EVERYONE, Part
from canteen.subsidies.reading import PolicyInvalid, read_body, read_file, read_json, read_toml
from canteen.subsidies.shapes import CATEGORIES, Document, Overlay, Policy
from canteen.words import Text, day

__all__ = [
    "CATEGORIES",
    "SHIPPED",
    "NoPolicyInForce",
    "Overlay",
    "Policy",
    "PolicyInvalid",
    "check_set",
    "covers",
    "from_json",
    "load_folder",
    "merge",
    "policy_for",
    "read_body",
    "read_file",
    "read_json",
    "read_toml",
    "versions_of",
]

SHIPPED = Path(__file__).parent.parent / "policies"
DAY = timedelta(days=1)
AnyPart = TypeVar("AnyPart", bound=Part)


class NoPolicyInForce(NotFound):
    """No policy covers this district on this day; meals are sold at the full price."""

    code = "no_policy_in_force"
    text = Text(
        "{territory} 在 {on} 没有有效的助餐政策", "No policy is in force in {territory} on {on}"
    )


def from_json(text: str) -> Policy | Overlay:
    """A stored canonical text as the policy or overlay it was made of."""
    return read_body(msgspec.json.decode(text))


def load_folder(path: Path = SHIPPED) -> list[Policy | Overlay]:
    """Every TOML file of a folder, read and checked alone and as a set, in order of code.

    Refuses a broken file and a gap or overlap between files with PolicyInvalid.
    """
    documents = [read_file(file) for file in sorted(path.glob("*.toml"))]
    check_set(documents)
    return sorted(documents, key=lambda d: (d.name, d.effective_from))


def covers(territory: str, district: str) -> bool:
    """Whether a policy's territory ("120000" a city, "120103" a district) contains a district."""
    return district.startswith(_stem(territory))


def versions_of(documents: Iterable[Policy | Overlay], name: str) -> list[Policy | Overlay]:
    """The versions of one family, oldest first."""
    return sorted((d for d in documents if d.name == name), key=lambda d: d.effective_from)


def policy_for(documents: Iterable[Policy | Overlay], territory: str, on: date) -> Policy:
    """The policy in force in a district on a day, with the district's overlay merged in.

    The narrowest territory wins: a district's own policy before its city's. Refuses with
    NoPolicyInForce.
    """
    documents = list(documents)
    found = [d for d in documents if covers(d.territory, territory) and in_force(d, documents, on)]
    bases = [d for d in found if isinstance(d, Policy)]
    if not bases:
        raise NoPolicyInForce(field="on", territory=territory, on=day(on, year=True))
    base = max(bases, key=lambda d: (len(_stem(d.territory)), d.effective_from))
    overlays = [d for d in found if isinstance(d, Overlay) and d.extends == base.name]
    if not overlays:
        return base
    return merge(base, max(overlays, key=lambda d: (len(_stem(d.territory)), d.effective_from)))


def in_force(document: Document, documents: Iterable[Document], on: date) -> bool:
    """Whether a version holds on a day: the next version's first day ends it."""
    if on < document.effective_from or (document.effective_to and on > document.effective_to):
        return False
    return not any(
        document.effective_from < other.effective_from <= on
        for other in documents
        if other.name == document.name
    )


def merge(base: Policy, overlay: Overlay) -> Policy:
    """A base with a district's overlay: its own policy "tianjin+hexi", version "V2024+V2020".

    The overlay's groups come after the base's, so whoever the base already serves stays with
    it. A part without `groups` is for the groups of its own file, "*" is everyone. The base's
    gates, caps and exclusions hold for everyone; the overlay's gates for its own groups, its caps
    and standard set replace the base's. Refuses with PolicyInvalid what does not fit together.
    """
    ours = tuple(g.code for g in base.eligibility)
    theirs = tuple(g.code for g in overlay.eligibility)
    ends = [d for d in (base.effective_to, overlay.effective_to) if d]
    known = {c.code for c in base.categories}
    merged = msgspec.structs.replace(
        base,
        name=f"{base.name}+{overlay.name.removeprefix(base.name + '-')}",
        version=f"{base.version}+{overlay.version}",
        title=overlay.title,
        document=f"{base.document};{overlay.document}",
        source_mark=max(base.source_mark, overlay.source_mark, key="VMD".index),
        territory=overlay.territory,
        effective_from=max(base.effective_from, overlay.effective_from),
        effective_to=min(ends) if ends else None,
        notes=base.notes + overlay.notes,
        categories=base.categories + tuple(c for c in overlay.categories if c.code not in known),
        eligibility=base.eligibility + overlay.eligibility,
        gates=base.gates
        + tuple(msgspec.structs.replace(g, groups=g.groups or theirs) for g in overlay.gates),
        caps=overlay.caps or base.caps,
        standard_set=overlay.standard_set or base.standard_set,
        layers=_of(base.layers, ours) + _of(overlay.layers, theirs),
        enterprise=_of(base.enterprise, ours) + _of(overlay.enterprise, theirs),
        delivery=_of(base.delivery, ours) + _of(overlay.delivery, theirs),
    )
    if defects := defects_of(merged):
        raise PolicyInvalid(defects, source=merged.code)
    return merged


def check_set(documents: Sequence[Policy | Overlay]) -> None:
    """Refuse with PolicyInvalid a set whose documents contradict each other.

    Within a family no day may be without a version or have two; two families may not rule one
    territory at once; an overlay must extend a family above its district and fit each of its
    versions that it meets. Each refusal names both documents.
    """
    defects: list[Defect] = []
    for _, family in groupby(sorted(documents, key=lambda d: d.name), lambda d: d.name):
        versions = sorted(family, key=lambda d: (d.effective_from, d.version))
        for earlier, later in pairwise(versions):
            defects += _neighbours(earlier, later)
    for i, one in enumerate(documents):
        for other in documents[i + 1 :]:
            if one.name != other.name and _rivals(one, other) and _meet(one, other, documents):
                defects.append(
                    _named(
                        "territory",
                        one,
                        other,
                        Text("管辖同一地区且日期重叠", "rule the same territory at the same time"),
                    )
                )
    for overlay in documents:
        if isinstance(overlay, Overlay):
            defects += _fits(overlay, documents)
    if defects:
        raise PolicyInvalid(defects)


def _neighbours(earlier: Document, later: Document) -> list[Defect]:
    """The gap or overlap between two versions that follow each other."""
    if earlier.version == later.version:
        return [_named("version", earlier, later, Text("版本号相同", "have the same version"))]
    if earlier.territory != later.territory:
        return [
            _named(
                "territory",
                earlier,
                later,
                Text("同名而地区不同", "have one name but two territories"),
            )
        ]
    end, start = earlier.effective_to, later.effective_from
    if start == earlier.effective_from or (end and end >= start):
        reason = Text("日期重叠，自 {start} 起", "overlap from {start} on")
        reason = reason.format(start=day(start, year=True))
        return [_named("effective_from", earlier, later, reason)]
    if end and end + DAY < start:
        reason = Text("之间有空档：{first}至{last}", "leave a gap from {first} to {last}")
        reason = reason.format(first=day(end + DAY, year=True), last=day(start - DAY, year=True))
        return [_named("effective_from", earlier, later, reason)]
    return []


def _fits(overlay: Overlay, documents: Sequence[Policy | Overlay]) -> list[Defect]:
    """What is wrong between an overlay and the versions it extends."""
    bases = [d for d in documents if d.name == overlay.extends and isinstance(d, Policy)]
    if not bases:
        return [
            Defect(
                "extends",
                Text(
                    "{code} 所叠加的政策 {name} 不存在",
                    "{code} extends {name}, which does not exist",
                ).format(code=overlay.code, name=overlay.extends),
            )
        ]
    defects = []
    for base in bases:
        if not covers(base.territory, overlay.territory):
            return [
                _named(
                    "territory",
                    base,
                    overlay,
                    Text("地区不在其内", "do not lie within one another"),
                )
            ]
        if _meet(base, overlay, documents):
            try:
                merge(base, overlay)
            except PolicyInvalid as error:
                defects += [
                    _named(
                        d.path,
                        base,
                        overlay,
                        Text(f"合并后有误：{d.reason.zh}", f"do not merge: {d.reason.en}"),
                    )
                    for d in error.defects
                ]
    return defects


def _rivals(one: Document, other: Document) -> bool:
    """Whether two documents of different names would both answer for one district."""
    if isinstance(one, Overlay) and isinstance(other, Overlay):
        return one.extends == other.extends and one.territory == other.territory
    same_kind = isinstance(one, Policy) and isinstance(other, Policy)
    return same_kind and one.territory == other.territory


def _meet(one: Document, other: Document, documents: Sequence[Document]) -> bool:
    """Whether two documents share a day on which both hold."""
    start = max(one.effective_from, other.effective_from)
    return in_force(one, documents, start) and in_force(other, documents, start)


def _named(path: str, one: Document, other: Document, reason: Text) -> Defect:
    names = Text(
        f"{one.code}(《{one.document}》)与 {other.code}(《{other.document}》)",
        f"{one.code} ({one.document}) and {other.code} ({other.document}) ",
    )
    return Defect(path, Text(names.zh + reason.zh, names.en + reason.en))


def _of(parts: tuple[AnyPart, ...], own: tuple[str, ...]) -> tuple[AnyPart, ...]:
    """Parts with their silent "my own groups" written out, and "*" as the silence for all."""
    return tuple(
        msgspec.structs.replace(
            part, groups=() if part.groups == (EVERYONE,) else part.groups or own
        )
        for part in parts
    )


def _stem(territory: str) -> str:
    """What the codes of all districts within a territory begin with: "12", "120103"."""
    stem = territory
    while stem.endswith("00"):
        stem = stem[:-2]
    return stem
