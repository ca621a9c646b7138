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


def at_most(scope: Scope, *sides: str) -> Any:
    """A column: what the policy of the meal gives its group at most, in fen, of "layers",
    "enterprise", "delivery" together; nothing where a part has no upper bound.

    Where a part counts only at some places or by the canteen's tier or grade, the most it can be
    is taken: the register tells what they are now and not what they were.
    """
    found: list[Any] = []
    for policy, body in bodies(scope).items():
        here = m.policy_id == policy
        sums = {
            group["code"]: _sum([
                _most(part) for side in sides for part in body.get(side, ())
                if {"*", group["code"]} & set(part.get("groups") or "*")
            ])
            for group in body["eligibility"]
        }  # fmt: skip
        values = list(sums.values())
        if all(isinstance(value, int) for value in values) and len(set(values)) == 1:
            found.append((here, values[0]))
            continue
        found += [
            (sa.and_(here, m.group_code == code), value)
            for code, value in sums.items() if value is not None
        ]  # fmt: skip
    return sa.case(*found) if found else sa.cast(sa.null(), sa.Integer)


def _sum(parts: list[Any]) -> Any | None:
    return None if any(part is None for part in parts) else sum(parts)


def _most(part: Body) -> Any | None:
    """What one part gives at most; for a meal or a way to serve that it does not name nothing."""
    amount = part["amount"]
    rows = amount.get("tiers") or amount.get("grades") or amount.get("bands")
    if rows:
        fen = max(amount.get("ungraded_fen", 0), *(row["fen"] for row in rows))
    else:
        fen = amount.get("ceiling_fen" if amount["kind"] in ("percent", "rest") else "fen")
    if fen is None:
        return None
    if scale := part.get("grade_scale"):
        fen = -(-fen * max(part.get("ungraded_bp", 10_000), *(r["bp"] for r in scale)) // 10_000)
    counts = [
        column.in_(part[name]) for name, column in (("meals", m.meal), ("services", m.service))
        if part.get(name)
    ]  # fmt: skip
    return sa.case((sa.and_(*counts), fen), else_=0) if counts else fen


def any_of(conditions: list[Any]) -> Any:
    """One of the conditions; never, when there are none."""
    return sa.or_(sa.false(), *conditions)
