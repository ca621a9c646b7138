"""What the published policies ask, read from their texts for the independent recounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from canteen.checks.gathering import MEALS
from canteen.db import db
from canteen.subsidies.models import PolicyVersion

Body = dict[str, Any]


def bodies() -> dict[int, Body]:
    """Every published policy's text by its id; there are a few dozen."""
    rows = db.session.execute(sa.select(PolicyVersion.id, PolicyVersion.body))
    return {row.id: row.body for row in rows}


def cap(kind: str) -> Any | None:
    """The cap ("per_day", "per_week", …) of each meal's policy; None where no policy has one."""
    found = {key: (body.get("caps") or {}).get(kind) for key, body in bodies().items()}
    return by_policy({key: most for key, most in found.items() if most is not None})


def by_policy(values: dict[int, int]) -> Any | None:
    """A column: the value of the meal's policy, nothing for the others."""
    return sa.case(values, value=MEALS.c.policy_id) if values else None


def policies_that(holds: Callable[[Body], bool]) -> list[int]:
    """The ids of the policies of which something holds."""
    return [key for key, body in bodies().items() if holds(body)]


def groups() -> list[tuple[int, Body]]:
    """Every group of every policy: (policy id, group)."""
    return [(key, group) for key, body in bodies().items() for group in body["eligibility"]]


def any_of(conditions: list[Any]) -> Any:
    """One of the conditions; never, when there are none."""
    return sa.or_(sa.false(), *conditions)
