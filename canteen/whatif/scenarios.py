"""Which policy would have priced a meal: the one in force, or what a draft makes of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa

from canteen.db import db
from canteen.errors import Refused
from canteen.subsidies.models import PolicyVersion
from canteen.subsidies.policies import NoPolicyInForce, covers, merge
from canteen.subsidies.publishing import in_force
from canteen.subsidies.shapes import Overlay, Policy
from canteen.subsidies.standing import OverlayTextMissing, made_of
from canteen.words import Text

DAY = timedelta(days=1)


class DraftElsewhere(Refused):
    """The draft is for another part of the country than the meals to be replayed."""

    code = "draft_elsewhere"
    text = Text(
        "草案 {draft} 适用于 {ground}，与 {territory} 没有交集",
        "The draft {draft} is for {ground}, which has nothing of {territory}",
    )


class BaseUnknown(Refused):
    """The draft adds to a policy that was never published."""

    code = "draft_base_unknown"
    text = Text(
        "草案 {draft} 所叠加的政策 {name} 没有发布过",
        "The draft {draft} extends {name}, which was never published",
    )


class InForceThen:
    """The published policies of the past, asked for once a district and stretch of days."""

    code = "in_force"
    title = Text("当时有效的政策", "The policies in force")

    def __init__(self) -> None:
        version = sa.inspect(PolicyVersion).local_table.c
        spans = db.session.execute(sa.select(version.in_force_from, version.in_force_to)).all()
        self.changes = sorted({day for first, last in spans for day in (first, *_after(last))})
        self._known: dict[tuple[str, int], Policy | None] = {}

    def stretch(self, on: date) -> int:
        """The number of the stretch of days a day is in, within which nothing changes."""
        return bisect_right(self.changes, on)

    def policy(self, district: str, on: date) -> Policy | None:
        """The policy in force in a district on a day; None when there was none."""
        key = (district, self.stretch(on))
        if key not in self._known:
            try:
                self._known[key] = in_force(district, on).policy
            except NoPolicyInForce:
                self._known[key] = None
        return self._known[key]


class Drafted:
    """A draft as if it had been in force on every day: its own dates do not matter here.

    A draft of a whole policy takes the place of the policy of its territory: a district's overlay
    on the same family is laid over it, a district's own whole policy stays. A draft overlay is
    laid over the family it extends, as it was in force, in place of the overlay the territory had.
    Elsewhere what was in force stays in force.
    """

    def __init__(
        self, draft: Policy | Overlay, then: InForceThen, standing: Sequence[Policy | Overlay]
    ) -> None:
        self.draft, self.then = draft, then
        self.code, self.title = draft.code, draft.title.text
        self.overlays = [text for text in standing if isinstance(text, Overlay)]
        self._known: dict[tuple[str, int], Policy | None] = {}
        if isinstance(draft, Overlay):
            bodies = db.session.scalars(sa.select(PolicyVersion.body))
            if not any(body["name"] == draft.extends for body in bodies):
                raise BaseUnknown(field="extends", draft=draft.code, name=draft.extends)

    def policy(self, district: str, on: date) -> Policy | None:
        """What would price a meal in a district on a day. Refuses with OverlayTextMissing."""
        key = (district, self.then.stretch(on))
        if key not in self._known:
            self._known[key] = self._policy(district, on)
        return self._known[key]

    def _policy(self, district: str, on: date) -> Policy | None:
        draft, then = self.draft, self.then.policy(district, on)
        if not covers(draft.territory, district):
            return then
        narrower = then and then.territory != draft.territory and covers(
            draft.territory, then.territory
        )
        if isinstance(draft, Overlay):
            return then if narrower else self._over_base(draft, district, on)
        if not (then and narrower):
            return draft
        family, _, own = then.name.partition("+")
        if not own:
            return then  # the district's own whole policy
        return self._with_overlay(draft, then) if family == draft.name else draft

    def _over_base(self, draft: Overlay, district: str, on: date) -> Policy | None:
        for above in (district, district[:4] + "00", district[:2] + "0000"):
            base = self.then.policy(above, on)
            if base and base.name == draft.extends:
                return merge(base, draft)
        return None

    def _with_overlay(self, draft: Policy, then: Policy) -> Policy:
        own = {"name": then.name, "version": then.version}
        for overlay in self.overlays:
            if overlay.extends == draft.name and made_of(own, overlay):
                return merge(draft, overlay)
        raise OverlayTextMissing(territory=then.territory, name=then.name)


def check_ground(drafts: Sequence[Policy | Overlay], territory: str) -> None:
    """Refuse with DraftElsewhere a draft that no meal of the territory could fall under."""
    district = territory[:6]
    for draft in drafts:
        if not (covers(draft.territory, district) or covers(district, draft.territory)):
            raise DraftElsewhere(
                field="territory", draft=draft.code, ground=draft.territory, territory=territory
            )


def _after(last: date | None) -> list[date]:
    return [last + DAY] if last else []
