"""What a meal costs everyone: list price, the canteen's discount, the subsidy, what is paid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from canteen.money import share_out, take_rate
from canteen.subsidies.amounts import Meal, amount_of, elsewhere, for_group
from canteen.subsidies.cases import BadCase, Case, ElderFacts, Quote, Share, Side, Step
from canteen.subsidies.eligibility import age_on, excluded, lacks, match
from canteen.subsidies.explaining import (
    DAYS,
    FUNDERS,
    MEALS,
    lacking_words,
    listed,
    percent,
    step,
)
from canteen.subsidies.gates import gate_refusal
from canteen.subsidies.parts import Delivery, Enterprise, Group, Layer, Part
from canteen.subsidies.quotas import (
    covered_day,
    next_covered_day,
    quota_keys,
    renewed_on,
    week_start,
)
from canteen.subsidies.shapes import Policy
from canteen.words import Text

__all__ = [
    "BadCase", "Case", "ElderFacts", "Quote", "Share", "Step", "covered_day", "quota_keys",
    "quote", "week_start",
]  # fmt: skip


def quote(policy: Policy, case: Case) -> Quote:
    """Price one meal under a policy: pure, so that stored inputs give the same answer for ever.

    Order: list price, the canteen's own discount, the subsidy, what the diner pays. The price
    gate of a standard set is judged on the list price (the rule speaks of the meal, and a canteen
    that is generous must not cost its elders the subsidy); spend thresholds on the price after
    the discount. A subsidy never exceeds what is left to pay. Nothing is refused by raising:
    whatever is not paid is explained in `steps`. All amounts in fen.
    """
    return _Pricing(policy, case).run()


class _Pricing:
    """One run of the rules over one case; collects the steps as it goes."""

    def __init__(self, policy: Policy, case: Case) -> None:
        self.policy = policy
        self.case = case
        self.steps: list[Step] = []
        self.shares: dict[tuple[Side, str], int] = {}
        self.beyond = False  # whether the meal was given although a cap was reached
        self.discount_fen = take_rate(case.list_fen, case.discount_bp)
        self.spend_fen = case.list_fen - self.discount_fen
        self.set_fen = case.standard_set_fen
        if self.set_fen is None and policy.standard_set:
            self.set_fen = policy.standard_set.default_fen
        self.age = age_on(case.elder.birth_date, case.on) if case.elder else 0

    def run(self) -> Quote:
        """All steps in their order."""
        self._prices()
        group = self._group()
        elder_fen = enterprise_fen = delivery_fen = 0
        if group and self._permitted(group):
            elder_fen, enterprise_fen, delivery_fen = self._parts(group)
        to_account = self.case.to_account or self.policy.delivered == "account"
        subsidy_fen, account_fen = (0, elder_fen) if to_account else (elder_fen, 0)
        payable_fen = self.spend_fen - subsidy_fen
        self._say("payable", fen=payable_fen)
        return Quote(
            list_fen=self.case.list_fen,
            discount_fen=self.discount_fen,
            subsidy_fen=subsidy_fen,
            account_fen=account_fen,
            payable_fen=payable_fen,
            enterprise_fen=enterprise_fen,
            delivery_fen=delivery_fen,
            shares=tuple(Share(s, f, fen) for (s, f), fen in self.shares.items()),
            group=group.code if group else None,
            uses_quota=elder_fen + enterprise_fen > 0 and not self.beyond,
            steps=tuple(self.steps),
        )

    def _say(self, code: str, words: dict[str, Any] | None = None, **params: Any) -> None:
        self.steps.append(step(code, params, **(words or {})))

    def _add(self, found: Step | None) -> None:
        if found:
            self.steps.append(found)

    def _prices(self) -> None:
        policy, case = self.policy, self.case
        ended = policy.effective_to and case.on > policy.effective_to
        if case.on < policy.effective_from or ended:
            self._say("policy_not_in_force", policy=policy.code)
        self._say("list_price", fen=case.list_fen)
        if self.discount_fen:
            self._say(
                "canteen_discount",
                {"percent": percent(case.discount_bp)},
                fen=self.discount_fen,
                rate_bp=case.discount_bp,
            )
        if policy.standard_set and case.standard_set_fen is not None:
            low, high = policy.standard_set.bounds_fen()
            if not low <= case.standard_set_fen <= high:
                self._say(
                    "standard_set_out_of_bounds",
                    fen=case.standard_set_fen, low_fen=low, high_fen=high,
                )  # fmt: skip

    def _meal(self, group: Group) -> Meal:
        return Meal(self.case, self.spend_fen, group, self.age)

    def _group(self) -> Group | None:
        """The elder's group, whether or not something else forbids the subsidy."""
        case = self.case
        if case.elder is None:
            self._say("no_elder")
            return None
        found = match(self.policy, case.elder, case.on)
        if found.group:
            self._say(
                "group_matched",
                {"title": found.group.title.text},
                group=found.group.code,
                age=self.age,
            )
            return found.group
        titles = self.policy.category_titles()
        phrases = {
            miss.group.code: lacking_words(miss.group, miss.lacking, self.age, titles)
            for miss in found.misses
        }
        # A category can be applied for, years cannot: at equal distance name the category.
        nearest = min(found.misses, key=lambda m: (len(m.lacking), "min_age" in m.lacking))
        self._say(
            "not_eligible",
            {"nearest": phrases[nearest.group.code]},
            age=self.age,
            nearest_group=nearest.group.code,
        )
        for miss in found.misses:
            self._say(
                "group_missed",
                {"title": miss.group.title.text, "lacking": phrases[miss.group.code]},
                group=miss.group.code,
                missing=list(miss.lacking),
            )
        return None

    def _permitted(self, group: Group) -> bool:
        """Exclusions, days, caps and gates: every one that forbids is said, not only the first."""
        before = len(self.steps)
        self._exclusions()
        self._day_and_meal()
        self._caps()
        full = sum(fen for _, fen, _ in self._layers(group))
        for gate in self.policy.gates:
            if for_group(gate.groups, group):
                self._add(gate_refusal(gate, self._meal(group), self.set_fen, full))
        return not any(s.kind == "refusal" for s in self.steps[before:])

    def _exclusions(self) -> None:
        elder, on = self.case.elder, self.case.on
        assert elder
        for code in excluded(self.policy, elder, on):
            self._say(code)
        if elder.status != "alive" and elder.status_since == on:
            self._say("status_changes_today", status=elder.status)

    def _day_and_meal(self) -> None:
        policy, case = self.policy, self.case
        if case.meal not in policy.meals:
            self._say("meal_not_covered", {"meal": MEALS[case.meal]}, meal=case.meal)
        if not covered_day(policy, case.on):
            self._say(
                "day_not_covered", {"rule": DAYS[policy.days]},
                on=case.on, next=next_covered_day(policy, case.on),
            )  # fmt: skip

    def _caps(self) -> None:
        case = self.case
        used = {"month": case.used_this_month, "week": case.used_this_week, "day": case.used_today}
        for period, start, cap in quota_keys(self.policy, case.on, case.meal):
            kind = period.partition(":")[0]
            if used.get(kind, case.used_this_meal) < cap:
                continue
            self.beyond = case.beyond_caps
            code = f"cap_{kind}_beyond" if self.beyond else f"cap_{kind}"
            if kind == "meal":
                self._say(code, {"meal": MEALS[case.meal]}, cap=cap, meal=case.meal)
                continue
            again = renewed_on(self.policy, kind, start)
            self._say(code, cap=cap, start=start, next=again)

    def _layers(self, group: Group) -> Iterable[tuple[Layer, int, Step | None]]:
        """Each layer meant for the group, its amount before what is left to pay, or why none."""
        before = 0
        for layer in self.policy.layers:
            if not for_group(layer.groups, group):
                continue
            lost = elsewhere(layer, self.case)
            amount = 0
            if lost is None:
                amount, lost = amount_of(layer.amount, self._meal(group), before)
            before += amount
            yield layer, amount, lost

    def _parts(self, group: Group) -> tuple[int, int, int]:
        """The elder's, the enterprise's and the deliverer's amounts of a meal that is permitted."""
        left, meant, before = self.spend_fen, False, len(self.steps)
        for layer, amount, lost in self._layers(group):
            meant = True
            granted = min(amount, left)
            left -= granted
            if granted:
                self._pay("elder", layer, granted, "layer")
            else:
                code = "layer_nothing"
                self.steps.append(lost or step(code, {"part": layer.code}, title=layer.title.text))
        elder_fen = self.spend_fen - left
        if meant and not elder_fen:
            # The enterprise is paid for each subsidy granted; without one there is nothing.
            if all(s.code.startswith("layer_") for s in self.steps[before:]):
                self._say("nothing_left_to_pay")
            return 0, 0, 0
        if elder_fen:
            account = self.case.to_account or self.policy.delivered == "account"
            self._say("account" if account else "subsidy", fen=elder_fen)
        if self.beyond:  # the till's mistake must not be worth anything to those who run it
            if not elder_fen:
                self._say("nothing_left_to_pay")
            return elder_fen, 0, 0
        enterprise_fen = self._earned("enterprise", self.policy.enterprise, group)
        if elder_fen + enterprise_fen == 0:
            self._say("nothing_left_to_pay")
            return 0, 0, 0
        wanted = self.case.service == "delivery"
        delivery_fen = self._earned("delivery", self.policy.delivery, group) if wanted else 0
        self._say_left()
        return elder_fen, enterprise_fen, delivery_fen

    def _earned(self, side: Side, parts: Sequence[Enterprise | Delivery], group: Group) -> int:
        """What the enterprise or the deliverer earns for this meal."""
        elder, total = self.case.elder, 0
        assert elder
        for part in parts:
            who = getattr(part, "who", ())
            if not for_group(part.groups, group) or elsewhere(part, self.case):
                continue
            if who and all(lacks(asked, elder, self.age) for asked in who):
                continue
            fen, lost = amount_of(part.amount, self._meal(group))
            self._add(lost)
            if isinstance(part, Enterprise) and part.grade_scale:
                scale = {row.grade: row.bp for row in part.grade_scale}
                rate = scale.get(self.case.grade, part.ungraded_bp)  # type: ignore[arg-type]
                fen = take_rate(fen, rate)
                if rate != 10_000:
                    self._say(
                        "grade_scaled", {"percent": percent(rate)},
                        rate_bp=rate, grade=self.case.grade,
                    )  # fmt: skip
            if fen:
                self._pay(side, part, fen, side)
                total += fen
        return total

    def _say_left(self) -> None:
        """How much of the week's or month's quota is used with this meal."""
        caps = self.policy.caps
        if caps.per_week:
            self._say("left_this_week", used=self.case.used_this_week + 1, cap=caps.per_week)
        if caps.per_month:
            self._say("left_this_month", used=self.case.used_this_month + 1, cap=caps.per_month)

    def _pay(self, side: Side, part: Part, fen: int, code: str) -> None:
        """Share an amount out among a part's funders, to the fen, and say so."""
        shared = share_out(fen, [f.share_bp for f in part.funders])
        names = [funder.code for funder in part.funders]
        shares = {name: each for name, each in zip(names, shared, strict=True) if each}
        for name, each in shares.items():
            self.shares[side, name] = self.shares.get((side, name), 0) + each
        words = {
            "title": part.title.text,
            "funders": listed([FUNDERS.get(n, Text(n, n)) for n in names]),
        }
        self._say(code, words, part=part.code, fen=fen, shares=shares)
