"""One table of meals on which rules are easily got wrong, and every shipped policy to try them."""

from __future__ import annotations

from datetime import date

import msgspec

from canteen.subsidies.cases import Case
from canteen.subsidies.policies import Policy
from tests.subsidies.cases import elder, hexi, lunch, shipped

VERSIONS = [d for d in shipped() if isinstance(d, Policy)]
MERGED = [hexi(d.code) for d in VERSIONS if d.name == "tianjin"]
ON_ACCOUNT = [msgspec.structs.replace(p, delivered="account") for p in VERSIONS]
POLICIES = [*VERSIONS, *MERGED, *ON_ACCOUNT]

# Where somebody of each city lives: the town of Zengcheng stands for all of Guangzhou.
HOMES = {
    "11": "110105", "12": "120103", "3101": "310101", "3107": "310107",
    "4401": "440118103", "4403": "440304",
}  # fmt: skip

G2 = elder("1950-01-01", categories=["visiting_care"])
G3 = elder(
    "1962-01-01", categories=["home_care_subsidy", "minimum_living"], care_level="severe"
)
G4 = elder("1956-11-18", categories=["disability_allowance"], disability_grade=1)
CARED = elder(in_institution=True, long_term_care=True)


def meals() -> list[Case]:
    """Every edge case, as a meal of somebody of Tianjin."""
    status = {"status_since": date(2026, 11, 18)}
    return [
        lunch(),
        lunch(elder=None),
        # Birthdays on, before and after the meal; the 29th of February.
        *(lunch(on, elder=elder("1946-11-18")) for on in ("2026-11-17", "2026-11-18")),
        *(lunch(on, elder=G4) for on in ("2026-11-17", "2026-11-18")),
        *(lunch(on, elder=elder("1948-02-29")) for on in ("2028-02-28", "2028-02-29")),
        *(lunch(on, elder=elder("1956-02-29")) for on in ("2026-02-28", "2026-03-01")),
        *(lunch(elder=who) for who in (G2, G3, CARED, elder(household=None), elder("1966-11-18"))),
        # Weeks: over New Year, Sunday and Monday, the sixth meal, two canteens on one day.
        *(lunch(on, used_this_week=5) for on in ("2026-12-31", "2027-01-01", "2027-01-03")),
        lunch("2026-11-22", meal="dinner", used_this_week=5),
        lunch("2026-11-23", meal="breakfast"),
        *(lunch(used_this_week=used) for used in (4, 5, 6)),
        lunch(meal="dinner", used_today=1, used_this_week=1),
        lunch(used_this_meal=1, used_this_month=22),
        lunch("2026-12-31", used_this_month=30, used_today=1),
        # Prices at, and a fen below, the set; a set that moves in mid-week or out of bounds.
        *(lunch(list_fen=fen) for fen in (0, 1, 500, 501, 799, 800, 1199, 1299, 1300, 1301, 1499)),
        *(lunch(list_fen=1400, standard_set_fen=fen) for fen in (1300, 1500, 649, 1951, None)),
        *(lunch(discount_bp=bp) for bp in (29, 1000, 1250, 3333, 5000, 9000, 9999, 10_000)),
        lunch(list_fen=1305, discount_bp=1000),
        lunch(list_fen=1_000_000, discount_bp=1),
        # Versions: V2022 became V2024 on a Friday; days and meals of each; working days.
        *(lunch(on, elder=G2) for on in ("2024-05-16", "2024-05-17")),
        *(lunch(on, elder=elder(long_term_care=True)) for on in ("2024-05-16", "2024-05-17")),
        lunch("2024-05-17", used_this_week=5),
        *(
            lunch(on, elder=elder("1935-01-01"), used_today=used)
            for on in ("2020-09-05", "2020-09-27", "2020-10-01", "2020-09-30", "2019-08-31")
            for used in (0, 1)
        ),
        *(lunch(meal=meal) for meal in ("breakfast", "dinner")),
        # The day of a death, a move, or entering an institution, and the day after.
        *(
            lunch(on, elder=elder(status=what, **status))
            for on in ("2026-11-18", "2026-11-19")
            for what in ("deceased", "moved", "in_institution")
        ),
        lunch(elder=elder(status="deceased")),
        # Ways of eating, tiers and grades; to the account; beyond the caps.
        *(lunch(service=service) for service in ("pick_up", "delivery")),
        lunch(service="delivery", elder=elder("1955-01-01", care_level="moderate")),
        lunch(service="delivery", elder=elder("1920-01-01")),
        *(lunch(tier=tier) for tier in (None, 2, 3)),
        *(lunch(grade=grade) for grade in ("excellent", "good", "pass", "fail")),
        lunch(to_account=True),
        lunch(to_account=True, used_today=1),
        lunch(beyond_caps=True),
        *(lunch(beyond_caps=True, **{used: 5}) for used in ("used_today", "used_this_meal")),
        lunch(beyond_caps=True, used_this_week=5, used_today=1, service="delivery"),
        lunch(beyond_caps=True, used_today=1, list_fen=100),
        lunch(beyond_caps=True, used_today=1, to_account=True),
        # Everything wrong at once.
        lunch(used_today=1, used_this_week=5, list_fen=1000, meal="dinner", elder=CARED),
    ]


def moved(case: Case, rules: Policy) -> list[Case]:
    """The same meal as it is, and as somebody of the policy's own city has it at home and away."""
    stem = rules.territory.rstrip("0") if rules.territory[:2] != "12" else "12"
    home = next((h for s, h in HOMES.items() if h.startswith(stem) or stem.startswith(s)), "120103")
    found = [case]
    for street in (home if len(home) > 6 else f"{home}001", f"{home[:6]}999"):
        who = case.elder
        if who and who.household:
            who = msgspec.structs.replace(who, household=home)
        found.append(case.but(district=home[:6], street=street, elder=who))
    return found
