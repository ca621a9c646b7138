"""The price of each kind of meal under one policy, asked of the pricing engine once a kind."""

from __future__ import annotations

from typing import NamedTuple

from canteen.subsidies.cases import Case, Quote
from canteen.subsidies.pricing import covered_day, quote
from canteen.subsidies.shapes import Policy
from canteen.whatif.calendar import Calendar
from canteen.whatif.sights import sight_of

MOST_KINDS = 40_000  # kept at once; then they are asked for anew
UNUSED = {"used_today": 0, "used_this_week": 0, "used_this_meal": 0, "used_this_month": 0}
USED_UP = dict.fromkeys(UNUSED, 10_000)

Shares = tuple[tuple[str, str, int], ...]


class Paid(NamedTuple):
    """What a meal is subsidised with: the elder's part in fen, and every (side, funder, fen)."""

    elder_fen: int
    shares: Shares


class Price(NamedTuple):
    """What is paid for a kind of meal while no cap is reached, and when one is; None: nothing."""

    within: Paid | None
    beyond: Paid | None


NOTHING = Price(None, None)


class Rule:
    """One policy with what it looks at, its caps day by day, and the prices found so far."""

    def __init__(self, policy: Policy, calendar: Calendar) -> None:
        self.policy = policy
        self.sight = sight_of(policy)
        self.quotas = calendar.quotas(policy)
        self.covered = [covered_day(policy, on) for on in calendar.dates]
        self._prices: dict[object, Price] = {}
        self._distinct: dict[Price, Price] = {}

    def price(self, case: Case) -> Price:
        """The price of a meal on a covered day; what the elder has used is no part of it."""
        kind = self.sight.of_case(case)
        found = self._prices.get(kind)
        if found is None:
            if len(self._prices) >= MOST_KINDS:
                self._prices.clear()
            asked = self._ask(case)
            found = self._prices[kind] = self._distinct.setdefault(asked, asked)
        return found

    def _ask(self, case: Case) -> Price:
        within = _paid(quote(self.policy, case.but(**UNUSED)))
        if within is None:
            return NOTHING
        beyond = _paid(quote(self.policy, case.but(**USED_UP))) if case.beyond_caps else None
        return Price(within, beyond)


def _paid(quoted: Quote) -> Paid | None:
    shares = tuple((share.side, share.funder, share.amount_fen) for share in quoted.shares)
    if not shares:
        return None
    return Paid(quoted.subsidy_fen + quoted.account_fen, shares)
