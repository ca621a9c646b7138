"""The catalogue of all checks, by family."""

from __future__ import annotations

from canteen.checks import (
    caps,
    deliveries,
    money,
    papers,
    patterns,
    people,
    prices,
    refunds,
    tills,
    times,
)
from canteen.checks.parts import Check
from canteen.errors import NotFound
from canteen.words import Text

CHECKS: tuple[Check, ...] = (
    *people.CHECKS, *caps.CHECKS, *times.CHECKS, *papers.CHECKS, *prices.CHECKS,
    *patterns.CHECKS, *deliveries.CHECKS, *tills.CHECKS, *refunds.CHECKS, *money.CHECKS,
)
BY_CODE = {check.code: check for check in CHECKS}


class NoSuchCheck(NotFound):
    """No check has this code."""

    code = "no_such_check"
    text = Text("没有这项检查", "There is no such check")


def check(code: str) -> Check:
    """The check of a code. Refuses NoSuchCheck."""
    if code not in BY_CODE:
        raise NoSuchCheck(field="code")
    return BY_CODE[code]
