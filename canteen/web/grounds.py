"""Whose ground a thing lies on: what each role may reach by an address that names it.

One table, by the name of the address's parameter: a view with `<int:canteen_id>` in its address
is asked here before it runs, whichever door it belongs to, so a stranger gets 404 before anything
they sent is looked at. The rooms' own `visible` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from canteen.adjustments import claims
from canteen.adjustments.models import Claim
from canteen.budgets import truing_up
from canteen.budgets.models import TrueUp
from canteen.canteens import finding as canteens
from canteen.canteens.models import Canteen, Licence, Operator
from canteen.canteens.reaching import operators_of
from canteen.checks.finding import told_to
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.elders import seeing
from canteen.elders.models import Card, Elder, ElderFact
from canteen.errors import NotFound
from canteen.menus.models import Dish, Menu, MenuItem
from canteen.orders import finding as orders
from canteen.orders.models import Order
from canteen.payouts import changing_accounts
from canteen.payouts.models import BankChange, BankReturn, PayoutBatch
from canteen.performance.models import Inspection, Judgement
from canteen.settlements import finding as statements
from canteen.settlements.models import Payout, Statement
from canteen.settlements.review_models import Appeal, Correction
from canteen.subsidies import drafting
from canteen.subsidies.models import PolicyDraft, PolicyVersion
from canteen.tasks import asking as tasks
from canteen.tasks.models import Task
from canteen.territory.actors import BUREAU, COUNTER, Actor
from canteen.territory.models import Territory, city_of, stem
from canteen.tills import enrolling as tills
from canteen.tills.models import Shift, Till
from canteen.whatif import asking as what_ifs

MOST = 2**63 - 1
Condition = sa.ColumnElement[bool]


def elders(actor: Actor) -> Condition:
    """The elders an actor may name: a till serves anybody in the city, wherever registered."""
    return sa.true() if actor.role in COUNTER else seeing.visible(actor)


def operators(actor: Actor) -> Condition:
    """An operator reaches itself; an office those with a listed canteen on its ground."""
    if actor.role == "operator":
        return Operator.id == actor.operator_id
    if actor.role in (*BUREAU, "evaluator"):
        return Operator.id.in_(operators_of(actor))
    return sa.false()


def policies(actor: Actor) -> Condition:
    """The policies that hold on the actor's ground: its own, those above it and those within it."""
    if actor.territory is None:
        return sa.false()
    above = {actor.territory, actor.territory[:6], city_of(actor.territory)}
    below = PolicyVersion.territory_code.startswith(stem(actor.territory))
    return sa.or_(PolicyVersion.territory_code.in_(above), below)


def _canteen_ids(actor: Actor) -> sa.Select[tuple[int]]:
    return sa.select(Canteen.id).where(canteens.visible(actor))


def _at_canteen(column: Any) -> Callable[[Actor], Condition]:
    return lambda actor: column.in_(_canteen_ids(actor))


def _at_menu(actor: Actor) -> Condition:
    return MenuItem.menu_id.in_(sa.select(Menu.id).where(_at_canteen(Menu.canteen_id)(actor)))


def _of_elder(actor: Actor) -> Condition:
    return Card.elder_id.in_(sa.select(Elder.id).where(elders(actor)))


def _fact_of(actor: Actor) -> Condition:
    return ElderFact.elder_id.in_(sa.select(Elder.id).where(seeing.visible(actor)))


def meals(actor: Actor) -> Condition:
    """The meals an actor may look into: sold on its ground, or eaten by an elder of its ground."""
    of_mine = Order.elder_id.in_(sa.select(Elder.id).where(seeing.visible(actor)))
    return sa.or_(orders.visible(actor), of_mine)


def _of_statement(actor: Actor) -> Condition:
    return Payout.statement_id.in_(sa.select(Statement.id).where(statements.visible(actor)))


def findings(actor: Actor) -> Condition:
    """What the checks found at the canteens an actor answers for; a cashier learns of none."""
    return sa.and_(told_to(actor), Suspicion.canteen_id.in_(_canteen_ids(actor)))


def _city(actor: Actor) -> Condition:
    return sa.true() if actor.role == "city" else sa.false()


def _of_corrected(actor: Actor) -> Condition:
    return Correction.statement_id.in_(sa.select(Statement.id).where(statements.visible(actor)))


def appeals(actor: Actor) -> Condition:
    """The objections to meals of the canteens an office or operator answers for."""
    if actor.role not in (*BUREAU, "operator", "manager"):
        return sa.false()
    return Appeal.canteen_id.in_(_canteen_ids(actor))


def shifts(actor: Actor) -> Condition:
    """A manager reaches every shift of the canteen, a cashier their own."""
    if actor.role not in COUNTER:
        return sa.false()
    own = Shift.canteen_id == actor.canteen_id
    return own if actor.role == "manager" else own & (Shift.cashier_id == actor.user_id)


# parameter of an address → the column it names, and what of it an actor reaches
KINDS: dict[str, tuple[Any, Callable[[Actor], Condition]]] = {
    "canteen_id": (Canteen.id, canteens.visible),
    "elder_id": (Elder.id, elders),
    "order_id": (Order.id, orders.visible),
    "meal_id": (Order.id, meals),
    "fact_id": (ElderFact.id, _fact_of),
    "statement_id": (Statement.id, statements.visible),
    "operator_id": (Operator.id, operators),
    "policy_id": (PolicyVersion.id, policies),
    "draft_id": (PolicyDraft.id, drafting.visible),
    "menu_id": (Menu.id, _at_canteen(Menu.canteen_id)),
    "item_id": (MenuItem.id, _at_menu),
    "dish_id": (Dish.id, _at_canteen(Dish.canteen_id)),
    "licence_id": (Licence.id, _at_canteen(Licence.canteen_id)),
    "inspection_id": (Inspection.id, _at_canteen(Inspection.canteen_id)),
    "judgement_id": (Judgement.id, _at_canteen(Judgement.canteen_id)),
    "card_number": (Card.number, _of_elder),
    "payout_id": (Payout.id, _of_statement),
    "batch_id": (PayoutBatch.id, _city),
    "return_id": (BankReturn.id, _city),
    "change_id": (BankChange.id, changing_accounts.visible),
    "correction_id": (Correction.id, _of_corrected),
    "appeal_id": (Appeal.id, appeals),
    "claim_id": (Claim.id, claims.visible),
    "true_up_id": (TrueUp.id, truing_up.visible),
    "shift_id": (Shift.id, shifts),
    "suspicion_id": (Suspicion.id, findings),
    "till_id": (Till.id, tills.visible),
    "task_id": (Task.id, tasks.visible),
    "result_id": (Task.id, what_ifs.visible),
}

# parameters that name no thing of anybody's: a day, a meal, a month, a language, a file
FREE = frozenset({"on", "meal", "period", "language", "filename", "year", "kind", "stage"})


def check(actor: Actor, named: Mapping[str, Any]) -> None:
    """Refuse with NotFound unless everything the address names is on the actor's ground.

    A parameter that nobody declared is a bug: the view is not answered, and the build fails.
    """
    for name, value in named.items():
        if name == "territory_code":
            if not (actor.reaches(value) and db.session.get(Territory, value)):
                raise NotFound()
            continue
        if name in FREE:
            continue
        column, reached = KINDS[name]
        if isinstance(value, int) and value > MOST:
            raise NotFound()
        if not db.session.scalar(sa.select(sa.exists().where(column == value, reached(actor)))):
            raise NotFound()

