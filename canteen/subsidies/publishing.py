"""Publishing policies: from checked files to the rows meals are priced by, never changed after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db
from canteen.errors import Conflict
from canteen.subsidies.models import PolicyVersion
from canteen.subsidies.policies import NoPolicyInForce, check_set, covers, policy_for
from canteen.subsidies.shapes import Overlay, Policy
from canteen.territory.actors import Actor
from canteen.words import Text, day


class AlreadyPublished(Conflict):
    """Another text is published for this territory from the same day."""

    code = "policy_already_published"
    text = Text(
        "{territory} 从 {on} 起已发布过另一份政策，已发布的政策不能改动",
        "Another policy is already published for {territory} from {on}; it cannot be changed",
    )


class InForce(NamedTuple):
    """A published policy and the id orders refer to it by."""

    id: int
    policy: Policy


def publish(documents: Sequence[Policy | Overlay], city: str, by: Actor) -> list[str]:
    """Publish every text that rules some day of a city, each overlay merged into its base.

    Gives the codes that are new; what is published already is left as it stands. Refuses a set
    with gaps or overlaps (PolicyInvalid) and a changed text for a published day (AlreadyPublished).
    """
    by.must_be("city")
    codes = lay_down(documents, city, by)
    if codes:
        record(by.label, "publish", "policy", city, {"codes": codes})
    return codes


def lay_down(
    documents: Sequence[Policy | Overlay], ground: str, by: Actor, since: date = date.min
) -> list[str]:
    """Write down what a set of texts rules on some ground from a day on, and is new: its codes.

    Asks for no rights and records nothing: that is for the act around it. Refuses PolicyInvalid
    and AlreadyPublished.
    """
    check_set(documents)
    ours = [d for d in documents if covers(ground, d.territory) or covers(d.territory, ground)]
    codes: list[str] = []
    for territory in sorted({d.territory for d in ours if covers(ground, d.territory)}):
        for on in _first_days(ours, territory):
            if on < since:
                continue
            try:
                policy = policy_for(ours, territory, on)
            except NoPolicyInForce:
                continue
            last = _last_day(ours, territory, on)
            if policy.territory == territory and _publish_one(policy, on, last, by):
                codes.append(policy.code)
    return codes


def in_force(district: str, on: date) -> InForce:
    """The policy that prices a meal in a district on a day. Refuses with NoPolicyInForce."""
    row = db.session.execute(_ruling(), {"above": _above(district), "day": on}).first()
    if row is None:
        raise NoPolicyInForce(territory=district, on=day(on, year=True))
    return InForce(row.id, _parsed(row.digest))


@cache
def _ruling() -> sa.Select[tuple[int, str]]:
    """The query of `in_force`, built once: every sale waits for it."""
    version = sa.inspect(PolicyVersion).local_table.c
    day = sa.bindparam("day", type_=sa.Date)
    above = sa.bindparam("above", type_=version.territory_code.type, expanding=True)
    return (
        sa.select(version.id, version.digest)
        .where(
            version.territory_code.in_(above), version.in_force_from <= day,
            sa.or_(version.in_force_to.is_(None), version.in_force_to >= day),
        )
        .order_by(version.territory_code.desc(), version.in_force_from.desc())
        .limit(1)
    )


def by_id(policy_id: int) -> InForce:
    """A published policy by its id."""
    digest = db.session.scalar(sa.select(PolicyVersion.digest).where(PolicyVersion.id == policy_id))
    return InForce(policy_id, _parsed(str(digest)))


def _above(district: str) -> tuple[str, ...]:
    """The codes whose policies can rule a district, which sort from the widest to its own: a
    province or municipality "120000", a city of a province "440100", the district itself."""
    return (district[:2] + "0000", district[:4] + "00", district)


@lru_cache(maxsize=256)
def _parsed(digest: str) -> Policy:
    """The policy of a digest: published texts never change, so neither does this."""
    body = db.session.scalar(sa.select(PolicyVersion.body).where(PolicyVersion.digest == digest))
    return Policy.from_json(msgspec.json.encode(body).decode())


def _publish_one(policy: Policy, first: date, last: date | None, by: Actor) -> bool:
    standing = db.session.execute(
        sa.select(PolicyVersion.digest).where(
            PolicyVersion.territory_code == policy.territory, PolicyVersion.in_force_from == first
        )
    ).scalar()
    if standing == policy.digest:
        return False
    if standing is not None:
        raise AlreadyPublished(territory=policy.territory, on=day(first, year=True))
    db.session.add(
        PolicyVersion(
            code=policy.code,
            digest=policy.digest,
            territory_code=policy.territory,
            in_force_from=first,
            in_force_to=last,
            document=policy.document,
            body=msgspec.json.decode(policy.to_json()),
            published_by=by.label,
            published_at=clock.now(),
        )
    )
    db.session.flush()
    return True


def _first_days(documents: Sequence[Policy | Overlay], territory: str) -> list[date]:
    """The days on which what rules a territory can change: its own texts and those above it."""
    return sorted(
        {d.effective_from for d in documents if covers(d.territory, territory)}
        | {
            d.effective_to + timedelta(days=1)
            for d in documents
            if d.effective_to and covers(d.territory, territory)
        }
    )


def _last_day(
    documents: Sequence[Policy | Overlay], territory: str, first: date
) -> date | None:
    """The last day before the rule changes again; None while nothing follows."""
    policy = policy_for(documents, territory, first)
    later = [on for on in _first_days(documents, territory) if on > first]
    ends = [on - timedelta(days=1) for on in later[:1]]
    if policy.effective_to:
        ends.append(policy.effective_to)
    return min(ends, default=None)
