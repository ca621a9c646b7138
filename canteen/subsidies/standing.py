"""The texts a city's published policies are made of, and what a new draft begins from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
import sqlalchemy as sa

from canteen.db import db
from canteen.errors import NotFound, Refused
from canteen.subsidies.models import PolicyDraft, PolicyVersion
from canteen.subsidies.parts import Bilingual, Flat, Funder, Group
from canteen.subsidies.policies import (
    Overlay,
    Policy,
    from_json,
    in_force,
    load_folder,
    merge,
    policy_for,
)
from canteen.territory.models import Territory
from canteen.words import Text

UNNAMED = "文号待定"  # the number of the published document, until it has one


class OverlayTextMissing(Refused):
    """A district's overlay is in force, but its own text is not at hand to lay over a new base."""

    code = "overlay_text_missing"
    text = Text(
        "{territory} 的叠加政策 {name} 缺少原文，无法叠加到新政策上",
        "The text of {name}, the overlay of {territory}, is missing: it cannot be laid over the"
        " new policy",
    )


class NothingToExtend(NotFound):
    """The overlay's family is not in force above its district."""

    code = "nothing_to_extend"
    text = Text("没有可叠加的政策 {name}", "There is no policy {name} in force to extend")


def standing(since: date | None = None) -> list[Policy | Overlay]:
    """Every text this city's published policies are made of: whole ones, and districts' overlays.

    What is published for a district is merged already; the overlay's own text is that of the file
    or the draft it was published from. With `since`, a text is refused with OverlayTextMissing
    when it is missing and the district's policy may rule on that day or later.
    """
    rows = db.session.scalars(sa.select(PolicyVersion)).all()
    found: list[Policy | Overlay] = [_read(row.body) for row in rows if "+" not in row.body["name"]]
    drafts = db.session.scalars(sa.select(PolicyDraft).where(PolicyDraft.state == "published"))
    texts = [*load_folder(), *(_read(draft.body) for draft in drafts)]
    overlays = [text for text in texts if isinstance(text, Overlay)]
    used: list[Overlay] = []
    for row in rows:
        if "+" not in row.body["name"]:
            continue
        own = next((text for text in overlays if made_of(row.body, text)), None)
        if own is not None:
            used += [] if own in used else [own]
        elif since and (row.in_force_to is None or row.in_force_to >= since):
            raise OverlayTextMissing(territory=row.territory_code, name=row.code)
    return [*found, *used]


def made_of(body: dict[str, str], overlay: Overlay) -> bool:
    """Whether a merged policy was made with this overlay."""
    tail = overlay.name.removeprefix(overlay.extends + "-")
    named = body["name"] == f"{overlay.extends}+{tail}"
    return named and body["version"].endswith(f"+{overlay.version}")


def merged(document: Policy | Overlay, on: date, texts: Sequence[Policy | Overlay]) -> Policy:
    """The whole policy a text makes in its territory on a day, as if it were in force then.

    An overlay is laid over the version of its family that is in force. Refuses NothingToExtend.
    """
    if isinstance(document, Policy):
        return document
    for text in texts:
        if text.name == document.extends and isinstance(text, Policy) and in_force(text, texts, on):
            return merge(text, document)
    raise NothingToExtend(field="extends", name=document.extends)


def starting_point(
    ground: str, on: date, texts: Sequence[Policy | Overlay]
) -> Policy | Overlay:
    """What a new draft of a territory begins as: its own text in force, as a version to come.

    A district that has none begins with an overlay: the city's first sum for people with a
    household in the district, five years younger, paid by the district alone.
    """
    own = [each for each in texts if each.territory == ground and in_force(each, texts, on)]
    document = own[0] if own else _widening(ground, policy_for(texts, ground, on))
    return msgspec.structs.replace(
        document, version=_free_version(document.name, on, texts), document=UNNAMED,
        effective_from=on, effective_to=None, notes=(),
    )  # fmt: skip


def _widening(ground: str, base: Policy) -> Overlay:
    name = db.session.get_one(Territory, ground).name
    tail = "".join(letter for letter in name.en.lower() if letter.isascii() and letter.isalnum())
    first = base.eligibility[0]
    age = max(first.min_age - 5, 0)
    code = f"D{ground}"
    titles = Bilingual(
        zh=f"{name.zh}户籍{age}周岁及以上", en=f"{name.en} household, {age} or over"
    )
    funders = (Funder(code="district"),)
    return Overlay(
        name=f"{base.name}-{tail or ground}", version="V1", extends=base.name, document=UNNAMED,
        title=Bilingual(zh=f"{name.zh}老年助餐", en=f"{name.en} elder meals"), source_mark="V",
        territory=ground, effective_from=base.effective_from,
        eligibility=(
            Group(code=code, title=titles, min_age=age, household=(ground,)),
        ),
        layers=tuple(
            msgspec.structs.replace(part, code=f"{code}_{n}", groups=(), funders=funders)
            for n, part in enumerate(base.layers) if isinstance(part.amount, Flat)
        ),
        enterprise=tuple(
            msgspec.structs.replace(part, code=f"{code}_e{n}", groups=(), funders=funders)
            for n, part in enumerate(base.enterprise)
        ),
    )  # fmt: skip


def _free_version(name: str, on: date, texts: Sequence[Policy | Overlay]) -> str:
    taken = {each.version for each in texts if each.name == name}
    drafts = db.session.scalars(
        sa.select(PolicyDraft.code).where(PolicyDraft.code.startswith(f"{name}-V"))
    )
    taken |= {code.removeprefix(f"{name}-") for code in drafts}
    wanted = [f"V{on.year}", *(f"V{on.year}.{n}" for n in range(2, len(taken) + 3))]
    return next(version for version in wanted if version not in taken)


def _read(body: object) -> Policy | Overlay:
    return from_json(msgspec.json.encode(body).decode())
