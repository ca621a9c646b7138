"""What the published policies ask, read from their texts for the independent recounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from canteen.checks.gathering import MEALS
from canteen.checks.parts import Scope
from canteen.checks.summing import CELLS, DINERS
from canteen.db import db
from canteen.subsidies.models import PolicyVersion

Body = dict[str, Any]
m, p = MEALS.c, DINERS.c


def bodies(scope: Scope) -> Mapping[int, Body]:
    """The text of every policy by which a meal of the period was subsidised, by its id."""
    if scope.policies is not None:
        return scope.policies
    c = CELLS.c
    used = sa.union(sa.select(c.policy_low), sa.select(c.policy_high))
    mixed = sa.select(m.policy_id).where(
        m.elder_id.in_(sa.select(c.elder_id).where(c.policy_low != c.policy_high))
    )
    rows = db.session.execute(
        sa.select(PolicyVersion.id, PolicyVersion.body)
        .where(sa.or_(PolicyVersion.id.in_(used), PolicyVersion.id.in_(mixed)))
    )  # fmt: skip
    return {row.id: row.body for row in rows}


def cap(scope: Scope, kind: str) -> Any | None:
    """The cap ("per_day", "per_week", …) of each meal's policy; None where no policy has one."""
    found = {key: (body.get("caps") or {}).get(kind) for key, body in bodies(scope).items()}
    return by_policy({key: most for key, most in found.items() if most is not None})


def by_policy(values: dict[int, int]) -> Any | None:
    """A column: the value of the meal's policy, nothing for the others."""
    return sa.case(values, value=MEALS.c.policy_id) if values else None


def policies_that(scope: Scope, holds: Callable[[Body], bool]) -> list[int]:
    """The ids of the policies of which something holds."""
    return [key for key, body in bodies(scope).items() if holds(body)]


def groups(scope: Scope) -> list[tuple[int, Body]]:
    """Every group of every policy: (policy id, group)."""
    return [(key, group) for key, body in bodies(scope).items() for group in body["eligibility"]]


def of_group(scope: Scope, holds: Callable[[Body], Any]) -> Any:
    """Elders of DINERS of whose only policy and group something holds (None: never), and all who
    have meals by several."""
    found = [(p.policy_low != p.policy_high) | (p.group_low != p.group_high)]
    for policy, group in groups(scope):
        condition = holds(group)
        if condition is not None:
            found.append(
                sa.and_(p.policy_low == policy, p.group_low == group["code"], condition)
            )
    return any_of(found)


def ages(group: Body) -> tuple[int, int]:
    """The least and the most full years of a group."""
    return group.get("min_age") or 0, group.get("max_age") or 200


def asked(group: Body) -> list[tuple[str, list[str]]]:
    """What a group asks of an elder: of each kind of fact one of these values."""
    facts = [
        *(("category", [code]) for code in group.get("all_categories", ())),
        ("category", list(group.get("any_categories", ()))),
        ("care_level", list(group.get("care_levels", ()))),
        ("disability_grade", [str(grade) for grade in group.get("disability_grades", ())]),
    ]
    return [(kind, values) for kind, values in facts if values]


def any_of(conditions: list[Any]) -> Any:
    """One of the conditions; never, when there are none."""
    return sa.or_(sa.false(), *conditions)
