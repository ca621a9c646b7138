"""The catalogue of all checks, by family."""

from __future__ import annotations

from canteen.checks import (
    caps,
    deliveries,
    kitchens,
    money,
    papers,
    patterns,
    people,
    prices,
    refunds,
    tills,
    times,
    ways,
)
from canteen.checks.parts import Check
from canteen.errors import NotFound
from canteen.words import Text

CHECKS: tuple[Check, ...] = (
    *people.CHECKS, *caps.CHECKS, *ways.CHECKS, *times.CHECKS, *papers.CHECKS,
    *kitchens.CHECKS, *prices.CHECKS, *patterns.CHECKS, *deliveries.CHECKS, *tills.CHECKS,
    *refunds.CHECKS, *money.CHECKS,
)
BY_CODE = {check.code: check for check in CHECKS}

# What the desk keeps to itself: elders' own accounts, their phones, who may be the same person.
# The canteen or operator may be the one suspected, and has no business with them otherwise.
DESK_ONLY = frozenset({
    "twice_registered", "shared_phone", "staff_phone", "elders_operator_account",
    "elders_share_account",
})  # fmt: skip
# What is about the account an elder is paid to: the elder's statement waits, not the canteen's.
ELDERS_ACCOUNT = frozenset({"elders_operator_account", "elders_share_account", "no_account"})


class NoSuchCheck(NotFound):
    """No check has this code."""

    code = "no_such_check"
    text = Text("没有这项检查", "There is no such check")


def check(code: str) -> Check:
    """The check of a code. Refuses NoSuchCheck."""
    if code not in BY_CODE:
        raise NoSuchCheck(field="code")
    return BY_CODE[code]
