"""The price of a wish: who it is for, which policy is in force, what each pays and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from canteen.orders.models import Order
from canteen.orders.wishing import Table, Wish, check_rights, check_shape, lay_table
from canteen.subsidies.cases import Case, ElderFacts, Quote, Step
from canteen.subsidies.explaining import step
from canteen.subsidies.granting import take_quota, used
from canteen.subsidies.pricing import quote
from canteen.subsidies.publishing import InForce, by_id, in_force
from canteen.territory.actors import Actor


@dataclass(frozen=True)
class Priced:
    """A wish with its price. `in_force` and `case` are None for a diner not on the register."""

    table: Table
    quote: Quote
    in_force: InForce | None = None
    case: Case | None = None

    @property
    def inputs(self) -> dict[str, Any] | None:
        """The case as an order keeps it: what stands at its default is left out."""
        return compact(self.case) if self.case else None


def quote_for(wish: Wish, by: Actor, at: datetime) -> Priced:
    """What this wish would cost now, with every step explained; nothing is taken or saved."""
    check_rights(wish, by)
    check_shape(wish, at)
    return price(wish, lay_table(wish, at))


def price(wish: Wish, table: Table, take: bool = False) -> Priced:
    """Price a checked wish. With `take`, inside an order, the elder's quota is used up as well;
    a cap reached by another till in the same instant is simply priced as reached."""
    list_fen = table.list_fen(wish.lines)
    if wish.elder_id is None or table.standing is None:
        return Priced(table, plain(list_fen))
    terms = table.terms
    policy = in_force(terms.district_code, wish.on)
    case = Case(
        district=terms.district_code,
        street=terms.street_code,
        on=wish.on,
        meal=wish.meal,
        tier=terms.tier,
        grade=terms.grade,
        list_fen=list_fen,
        standard_set_fen=terms.standard_set_fen,
        service=wish.service,
        discount_bp=terms.discount_bp,
        elder=ElderFacts(**asdict(table.standing)),
        to_account=wish.to_account,
    )
    while True:
        case = case.but(**used(policy.policy, wish.elder_id, wish.on, wish.meal))
        quoted = quote(policy.policy, case)
        if not (take and quoted.uses_quota) or take_quota(
            policy.policy, wish.elder_id, wish.on, wish.meal
        ):
            return Priced(table, quoted, policy, case)


def explain(order: Order, list_fen: int | None = None) -> Quote:
    """The price of an order again, from the policy and the inputs it was priced with.

    With `list_fen`, the price of the same meal had its dishes come to that.
    """
    if order.policy_id is None:
        return plain(order.list_fen if list_fen is None else list_fen)
    case = Case.from_dict(order.inputs)
    if list_fen is not None:
        case = case.but(list_fen=list_fen)
    return quote(by_id(order.policy_id).policy, case)


def plain(list_fen: int) -> Quote:
    """The quote of a diner who is not on the register: the list price, in fen."""
    steps: tuple[Step, ...] = (
        step("list_price", {"fen": list_fen}), step("no_elder"), step("payable", {"fen": list_fen}),
    )
    return Quote(list_fen, 0, 0, 0, list_fen, 0, 0, (), None, False, steps)


def compact(case: Case) -> dict[str, Any]:
    """A case as plain JSON without the keys that say nothing."""
    whole = case.to_dict()
    if whole.get("elder"):
        whole["elder"] = {k: v for k, v in whole["elder"].items() if v not in (None, False, [])}
    return {k: v for k, v in whole.items() if v not in (None, False, [], 0)}
