"""Cases to price: an ordinary lunch in Tianjin, and everything else as a change to it."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from canteen.subsidies.policies import Overlay, Policy, load_folder, merge, policy_for
from canteen.subsidies.pricing import Case, ElderFacts, Quote, quote


@cache
def shipped() -> tuple[Policy | Overlay, ...]:
    """Every shipped file, read once."""
    return tuple(load_folder())


def policy(code: str) -> Policy:
    """The shipped policy with this code."""
    found = next(d for d in shipped() if d.code == code)
    assert isinstance(found, Policy)
    return found


def hexi(code: str) -> Policy:
    """A shipped Tianjin version with the Hexi overlay laid over it."""
    overlay = next(d for d in shipped() if isinstance(d, Overlay))
    return merge(policy(code), overlay)


def elder(birth: str = "1940-05-01", household: str | None = "120101", **facts: Any) -> ElderFacts:
    """Someone of 86 in 2026 with a Tianjin household, unless told otherwise."""
    categories = frozenset(facts.pop("categories", ()))
    return ElderFacts(
        birth_date=date.fromisoformat(birth), household=household, categories=categories, **facts
    )


def lunch(on: str = "2026-11-18", **facts: Any) -> Case:
    """A 15.00 yuan lunch on a Wednesday in Heping for someone of 86, standard set 13.00."""
    known: dict[str, Any] = {
        "district": "120101",
        "meal": "lunch",
        "tier": 1,
        "list_fen": 1500,
        "standard_set_fen": 1300,
        "elder": elder(),
    }
    return Case(on=date.fromisoformat(on), **known | facts)


def priced(case: Case) -> Quote:
    """A case under whatever policy is in force there and then."""
    return quote(policy_for(shipped(), case.district, case.on), case)


def codes(found: Quote) -> list[str]:
    """The codes of everything a quote refuses."""
    return [step.code for step in found.refusals()]
