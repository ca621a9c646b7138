"""Proving on a live database that meals, subsidies, statements, payouts and books agree."""

from __future__ import annotations

from canteen.db import db
from canteen.verifying import (
    adjusted,
    books,
    cash,
    city_shares,
    deducted,
    doubts,
    meals,
    payouts,
    people,
    policies,
    quotas,
    refunds,
    reviewed,
    sampled,
    settled,
    tills,
    trail,
)
from canteen.verifying.findings import Check, Finding, Result
from canteen.words import Text

__all__ = ["CHECKS", "Check", "Finding", "Result", "examine", "verify"]

BROKEN = Text(
    "这项检查没有做完，数据无法读取：{what}",
    "this check could not be finished, something cannot be read: {what}",
)
CHECKS: tuple[Check, ...] = (
    *books.CHECKS, *meals.CHECKS, *refunds.CHECKS, *quotas.CHECKS, *settled.CHECKS,
    *reviewed.CHECKS, *sampled.CHECKS, *deducted.CHECKS, *payouts.CHECKS, *adjusted.CHECKS,
    *city_shares.CHECKS, *tills.CHECKS, *cash.CHECKS, *people.CHECKS, *policies.CHECKS,
    *trail.CHECKS, *doubts.CHECKS,
)  # fmt: skip


def examine(check: Check, keep: int = 20) -> Result:
    """Run one check over everything; counts what it finds and keeps the first few.

    A check that cannot read what it finds says so as a finding, and the others go on.
    """
    found: list[Finding] = []
    count = 0
    try:
        with db.session.begin_nested():  # or PostgreSQL would refuse every check after it
            for subject, message in check.find():
                count += 1
                if len(found) < keep:
                    found.append(Finding(check.code, subject, message))
    except Exception as failure:
        what = f"{type(failure).__name__}: {failure}".splitlines()[0][:200]
        found.append(Finding(check.code, "—", BROKEN.format(what=Text(what, what))))
        count += 1
    return Result(check, count, found)


def verify(keep: int = 20) -> list[Finding]:
    """Run every check; gives what is wrong, at most `keep` findings a check. Empty: all is well.

    Reads only. Sums are made by the database; memory does not grow with the number of meals.
    """
    return [finding for check in CHECKS for finding in examine(check, keep).findings]
