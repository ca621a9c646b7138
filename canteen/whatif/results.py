"""What a replay found: sums by funder, district, age, tier and month; who gains, who loses."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from canteen.words import Text

FIRST_AGES = (60, 70, 80, 90)
BANDS = {
    "under60": Text("60岁以下", "under 60"),
    "60-69": Text("60–69岁", "60–69"),
    "70-79": Text("70–79岁", "70–79"),
    "80-89": Text("80–89岁", "80–89"),
    "90+": Text("90岁及以上", "90 and over"),
}
BAND_CODES = tuple(BANDS)


def band_of(age: int) -> str:
    """The age band of a person: "under60", "60-69", "70-79", "80-89", "90+"."""
    return BAND_CODES[bisect_right(FIRST_AGES, age)]


@dataclass
class Sums:
    """Subsidised meals and what was paid for them, in fen; `funders` sum to `total_fen`.

    `elder_fen` is what elders pay less, at the till or to their account.
    """

    meals: int = 0
    elder_fen: int = 0
    enterprise_fen: int = 0
    delivery_fen: int = 0
    funders: dict[str, int] = field(default_factory=dict)

    @property
    def total_fen(self) -> int:
        """All that is paid from public purses."""
        return self.elder_fen + self.enterprise_fen + self.delivery_fen

    def add(self, meals: int, sides: Mapping[str, Mapping[str, int]]) -> None:
        """Count so many meals, each funded so: {"elder": {"city": 150, …}, …} in fen."""
        self.meals += meals
        for side, funders in sides.items():
            name = f"{side}_fen"
            setattr(self, name, getattr(self, name) + meals * sum(funders.values()))
            for funder, fen in funders.items():
                self.funders[funder] = self.funders.get(funder, 0) + meals * fen


@dataclass
class People:
    """How many elders were subsidised, and how they fare against the policies in force.

    Sums in fen over the whole period. `new` got nothing before, `dropped` get nothing now; both
    are among those who gain or lose.
    """

    subsidised: int = 0
    gain: int = 0
    gain_fen: int = 0
    lose: int = 0
    lose_fen: int = 0
    same: int = 0
    new: int = 0
    dropped: int = 0

    def compare(self, before_fen: int, after_fen: int) -> None:
        """Count one elder who got so much before and gets so much now."""
        if not (before_fen or after_fen):
            return
        more = after_fen - before_fen
        self.subsidised += after_fen > 0
        self.gain += more > 0
        self.gain_fen += max(more, 0)
        self.lose += more < 0
        self.lose_fen += max(-more, 0)
        self.same += more == 0
        self.new += before_fen == 0
        self.dropped += after_fen == 0


@dataclass
class Outcome:
    """What one scenario comes to: the policies in force (code "in_force") or a draft.

    Keys: territory codes of districts, bands of the age at the meal, tiers ("1", "2", "3", ""
    where unknown), months "2026-10". `people` is by the band of the age on the period's last day.
    """

    code: str
    title: Text
    total: Sums = field(default_factory=Sums)
    by_funder: dict[str, dict[str, int]] = field(default_factory=dict)
    by_district: dict[str, Sums] = field(default_factory=dict)
    by_band: dict[str, Sums] = field(default_factory=dict)
    by_tier: dict[str, Sums] = field(default_factory=dict)
    by_month: dict[str, Sums] = field(default_factory=dict)
    people: dict[str, People] = field(default_factory=dict)

    def everybody(self) -> People:
        """All age bands together."""
        bands = list(self.people.values())
        return People(**{name: sum(getattr(b, name) for b in bands) for name in PEOPLE})


PEOPLE = tuple(People.__dataclass_fields__)


@dataclass(frozen=True)
class Recorded:
    """What was really granted for the period's meals, less what was taken back; in fen."""

    meals: int
    elder_fen: int
    enterprise_fen: int
    delivery_fen: int


@dataclass(frozen=True)
class Result:
    """A replay: the policies in force, then each draft, over the same served orders of elders.

    `orders` were replayed; `without_facts` more had no stored facts and are in no sum.
    """

    first: date
    last: date
    territory: str
    orders: int
    elders: int
    without_facts: int
    recorded: Recorded
    outcomes: tuple[Outcome, ...]

    @property
    def in_force(self) -> Outcome:
        """The policies really in force, replayed."""
        return self.outcomes[0]

    @property
    def drafts(self) -> tuple[Outcome, ...]:
        """The drafts, in the order they were given."""
        return self.outcomes[1:]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, every sum in fen."""
        plain = asdict(self)
        plain["first"], plain["last"] = self.first.isoformat(), self.last.isoformat()
        for shown, outcome in zip(plain["outcomes"], self.outcomes, strict=True):
            shown["title"] = outcome.title._asdict()
            shown["everybody"] = asdict(outcome.everybody())
            _add_totals(shown, outcome)
        return plain


def _add_totals(shown: dict[str, Any], outcome: Outcome) -> None:
    shown["total"]["total_fen"] = outcome.total.total_fen
    for name in ("by_district", "by_band", "by_tier", "by_month"):
        for key, sums in getattr(outcome, name).items():
            shown[name][key]["total_fen"] = sums.total_fen
