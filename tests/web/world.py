"""A little world with a stranger next to everybody: what is one's own, and what is just not."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import date, timedelta

from flask import Flask
from flask.testing import FlaskClient

from canteen import clock
from canteen.access.models import ApiToken, User
from canteen.access.tokens import digest_of
from canteen.access.users import actor_of
from canteen.adjustments.models import Claim
from canteen.budgets.models import TrueUp
from canteen.canteens.models import Canteen, Licence
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.elders.models import Card, Elder, ElderFact
from canteen.menus.models import MenuItem
from canteen.orders.models import Order, OrderLine
from canteen.payouts.models import BankChange, BankReturn, PayoutBatch
from canteen.performance.models import Inspection, Judgement
from canteen.settlements.models import Payout, Statement
from canteen.settlements.review_models import Appeal, Correction
from canteen.subsidies.models import Funding, Grant, Period, PolicyDraft
from canteen.subsidies.policies import load_folder
from canteen.subsidies.publishing import publish
from canteen.subsidies.revising import body_of
from canteen.tasks.asking import start
from canteen.territory.actors import BUREAU, job
from canteen.tills.keys import key_of, receipt_code
from canteen.tills.models import Shift
from tests.factories import (
    LONG_AGO,
    make_canteen,
    make_elder,
    make_menu,
    make_territories,
    make_user,
)
from tests.keeping import kept
from tests.tills.drawers import make_till

PERIOD = "2026-10"


@dataclass(frozen=True)
class Ground:
    """One canteen, one elder, and everything that belongs to them, by the name in an address."""

    canteen: Canteen
    elder: Elder
    items: list[MenuItem]
    named: dict[str, object]


@dataclass(frozen=True)
class World:
    """A ground of one's own, one next door, one in the next street and one in the next district."""

    own: Ground
    next_door: Ground
    next_street: Ground
    next_district: Ground
    users: dict[str, User]
    tokens: dict[str, str]
    today: date
    tasks: dict[str, int] = field(default_factory=dict)
    results: dict[str, int] = field(default_factory=dict)

    def stranger(self, role: str) -> Ground | None:
        """The nearest ground that is not this role's; a city has none in its own city."""
        if role == "city":
            return None
        return {
            "street": self.next_street, "district": self.next_district,
            "evaluator": self.next_district,
        }.get(role, self.next_door)


@kept
def make_world(today: date | None = None) -> World:
    """Four grounds and a user of every role on the first of them."""
    today = today or clock.business_date()
    with transaction():
        make_territories()
        publish(load_folder(), "120000", job("test"))
        db.session.add(Period(period=PERIOD, closed_at=LONG_AGO, closed_by="job:test"))
        db.session.flush()
        evaluator = make_user("evaluator", "evaluator", territory_code="120104")
        own, next_door, next_street, next_district = (
            make_ground(street, today, evaluator)
            for street in ("120104001", "120104001", "120104002", "120103001")
        )
        users = {
            "evaluator": evaluator,
            "street": make_user("street", "street", territory_code="120104001"),
            "district": make_user("district", "district", territory_code="120104"),
            "city": make_user("city", "city", territory_code="120000"),
            "operator": make_user("operator", "operator", operator_id=own.canteen.operator_id),
            "cashier": make_user("cashier", "cashier", canteen_id=own.canteen.id),
            "manager": make_user("manager", "manager", canteen_id=own.canteen.id),
            "elder": make_user("elder", "elder", elder_id=own.elder.id),
            "family": make_user("family", "family"),
        }
        befriend(own.elder, users["family"])
        for ground in (own, next_door, next_street, next_district):
            open_till(ground, users["cashier"] if ground is own else evaluator)
        tokens = {role: make_token(user) for role, user in users.items()}
        tasks = {
            role: start("check_meals", {"period": PERIOD}, actor_of(user), at=LONG_AGO).id
            for role, user in users.items()
        }
        results = {
            role: start("what_if", {"drafts": []}, actor_of(users[role]), at=LONG_AGO).id
            for role in ("district", "city")
        }
    return World(own, next_door, next_street, next_district, users, tokens, today, tasks, results)


def make_ground(street: str, today: date, evaluator: User) -> Ground:
    """A canteen with an operator of its own, an elder, and one of everything else."""
    canteen, elder = make_canteen(street), make_elder(street=street)
    items = make_menu(canteen, today)
    order = make_order(canteen, elder, items[0], today)
    statement, payout = make_statement(canteen)
    licence = Licence(
        canteen_id=canteen.id, kind="food", number="JY1", valid_from=date(2024, 1, 1)
    )
    inspection = Inspection(
        canteen_id=canteen.id, scheme="test", on=today, evaluator_id=evaluator.id,
        submitted_at=LONG_AGO,
    )
    fact = ElderFact(
        elder_id=elder.id, kind="category", value="low_income", valid_from=date(2024, 1, 1),
        recorded_by="user:1", recorded_at=LONG_AGO,
    )
    judgement = Judgement(
        canteen_id=canteen.id, rule="idle_7", proposes="warned", reason_code="idle", facts={},
        proposed_on=today, state="proposed",
    )
    suspicion = Suspicion(
        code="deceased", period=PERIOD, canteen_id=canteen.id, elder_id=elder.id,
        order_id=order.id, key=f"order:{order.id}", amount_fen=500,
        evidence={"meal_on": today.isoformat(), "since_on": "2026-10-01"}, mode="hold",
        state="open", found_at=LONG_AGO,
    )
    batch = PayoutBatch(
        way="gateway", state="draft", count=1, total_fen=500, digest="", made_by="user:0",
        made_at=LONG_AGO,
    )
    returned = BankReturn(
        digest=f"{street}{canteen.id}", file_name="bank.csv", lines=1, paid=0, failed=0,
        unmatched=[], taken_by="user:0", taken_at=LONG_AGO,
    )
    change = BankChange(
        operator_id=canteen.operator_id, old_account="acct_old", new_account="acct_new",
        asked_by="user:0", asked_at=LONG_AGO, not_before=LONG_AGO,
    )
    db.session.add_all([
        licence, inspection, judgement, fact, suspicion, batch, returned, change
    ])
    db.session.flush()
    correction, appeal = make_doubts(canteen, elder, items[1], statement)
    card = db.session.query(Card).filter_by(elder_id=elder.id).one()
    draft = make_draft(street[:6], today)
    named = {
        "canteen_id": canteen.id, "elder_id": elder.id, "order_id": order.id,
        "menu_id": items[0].menu_id, "item_id": items[0].id, "dish_id": items[0].dish_id,
        "statement_id": statement.id, "payout_id": payout.id, "operator_id": canteen.operator_id,
        "licence_id": licence.id, "inspection_id": inspection.id, "judgement_id": judgement.id,
        "card_number": card.number, "territory_code": street,
        "meal_id": order.id, "fact_id": fact.id, "draft_id": draft.id,
        "suspicion_id": suspicion.id, "batch_id": batch.id, "return_id": returned.id,
        "change_id": change.id, "correction_id": correction.id, "appeal_id": appeal.id,
    }
    named |= make_afterwards(elder, order)
    return Ground(canteen, elder, items, named)


def make_afterwards(elder: Elder, order: Order) -> dict[str, int]:
    """A claim of the meal that waits, and a true-up of the district somebody else drafted."""
    claim = Claim(
        order_id=order.id, elder_id=elder.id, kind="card_unread", state="asked", reason="读不出卡",
        asked_by="user:0", asked_at=LONG_AGO,
    )
    true_up = TrueUp(
        year=2020 + order.id, district_code=elder.street_code[:6], kind="preliminary",
        state="draft", share_fen=500, paid_before_fen=0, balance_fen=500, sums=[], targets=[],
        prepared_by="user:0", prepared_at=LONG_AGO,
    )
    db.session.add_all([claim, true_up])
    db.session.flush()
    return {"claim_id": claim.id, "true_up_id": true_up.id}


def make_doubts(
    canteen: Canteen, elder: Elder, item: MenuItem, statement: Statement
) -> tuple[Correction, Appeal]:
    """A line sent back with the statement, and an objection to a meal denied the month before."""
    order = make_order(canteen, elder, item, date(2026, 9, 7))
    funding = Funding(
        digest=f"world-{order.id}", till_fen=0, account_fen=0, enterprise_fen=200, delivery_fen=0
    )
    db.session.add(funding)
    db.session.flush()
    for number, sign, cause in ((1, 1, "sale"), (2, -1, "denied")):
        grant = Grant(
            order_id=order.id, number=number, sign=sign, cause=cause, elder_id=elder.id,
            canteen_id=canteen.id, period="2026-09", on=order.on, meal="lunch", policy_id=1,
            group_code="G1", funding_id=funding.id, till_fen=0, account_fen=0,
            enterprise_fen=sign * 200, delivery_fen=0, made_at=LONG_AGO,
        )
        db.session.add(grant)
        db.session.flush()
    correction = Correction(
        statement_id=statement.id, order_id=order.id, state="asked", what="请核对",
        asked_by="user:0", asked_at=LONG_AGO, answer="", before={}, after={},
    )
    appeal = Appeal(
        order_id=order.id, grant_id=grant.id, canteen_id=canteen.id, state="filed",
        reason="照片可证", filed_by="user:0", filed_at=LONG_AGO, decision="",
    )
    db.session.add_all([correction, appeal])
    db.session.flush()
    return correction, appeal


def make_draft(district: str, on: date) -> PolicyDraft:
    """A draft of a district's policy that nobody has handed in."""
    overlay = next(each for each in load_folder() if each.code == "tianjin-hexi-V2020")
    draft = PolicyDraft(
        code="draft-V1", territory_code=district, body=body_of(overlay) | {"territory": district},
        note="", in_force_from=on + timedelta(days=30), state="draft", made_by="user:0",
        made_at=LONG_AGO,
    )
    db.session.add(draft)
    db.session.flush()
    return draft


def open_till(ground: Ground, cashier: User) -> None:
    """A tablet on a ground's counter, with a shift open."""
    till = make_till(ground.canteen.id)
    shift = Shift(
        till_id=till.id, canteen_id=ground.canteen.id, number=1, cashier_id=cashier.id,
        opened_at=LONG_AGO, float_fen=0,
    )
    db.session.add(shift)
    db.session.flush()
    code = receipt_code(key_of(till), 1)
    ground.named.update(till_id=till.id, shift_id=shift.id, till=till.id, number=1, code=code)


def make_order(canteen: Canteen, elder: Elder, item: MenuItem, on: date) -> Order:
    """An order of one set at its list price, to be paid at the counter."""
    order = Order(
        canteen_id=canteen.id, elder_id=elder.id, menu_id=item.menu_id, on=on, meal="lunch",
        service="eat_in", channel="online", state="placed", payment="cash",
        list_fen=item.price_fen, discount_fen=0, subsidy_fen=0, payable_fen=item.price_fen,
        cash_fen=item.price_fen, placed_at=clock.now() - timedelta(minutes=1), placed_by="user:1",
        note="",
    )
    db.session.add(order)
    item.taken = 1
    db.session.flush()
    line = OrderLine(
        order_id=order.id, menu_item_id=item.id, quantity=1, unit_fen=item.price_fen
    )
    db.session.add(line)
    db.session.flush()
    return order


def make_statement(canteen: Canteen, stage: str = "street") -> tuple[Statement, Payout]:
    """A statement of 5 yuan with a payout that waits."""
    statement = Statement(
        period=PERIOD, payee="canteen", canteen_id=canteen.id, operator_id=canteen.operator_id,
        street_code=canteen.street_code, district_code=canteen.district_code, meals=1,
        elder_fen=300, account_fen=0, enterprise_fen=200, delivery_fen=0, online_fen=0,
        carried_fen=0, total_fen=500, stage=stage, stage_since=LONG_AGO, prepared_by="job:close",
        prepared_at=LONG_AGO,
    )
    db.session.add(statement)
    db.session.flush()
    payout = Payout(
        statement_id=statement.id, account="acct_test", amount_fen=500, state="waiting",
        made_at=LONG_AGO,
    )
    db.session.add(payout)
    db.session.flush()
    return statement, payout


def befriend(elder: Elder, user: User) -> None:
    """Let a user order for an elder."""
    from canteen.elders.models import FamilyMember

    db.session.add(
        FamilyMember(elder_id=elder.id, user_id=user.id, relation="女儿", since=LONG_AGO)
    )
    db.session.flush()


def make_token(user: User, days: int = 1) -> str:
    """A bearer token of a user, in plain text; with `days` below nought it has expired."""
    plain = f"canteen_{secrets.token_urlsafe(16)}"
    db.session.add(
        ApiToken(
            digest=digest_of(plain), user_id=user.id, name="test", made_at=LONG_AGO,
            expires_at=clock.now() + timedelta(days=days),
        )
    )
    db.session.flush()
    return plain


def sign_in(app: Flask, user: User) -> FlaskClient:
    """A browser in which this user is signed in."""
    client = app.test_client()
    with client.session_transaction() as session:
        session.update(
            user=user.id, mark=user.session_mark,
            until=(clock.now() + timedelta(hours=1)).timestamp(),
        )
    return client


def bearer(token: str) -> dict[str, str]:
    """The header a program signs in with."""
    return {"Authorization": f"Bearer {token}"}


def is_bureau(role: str) -> bool:
    """Whether the role is an office of the territory."""
    return role in BUREAU


def leads_to_its_field(page: str) -> bool:
    """Whether a refused form says what is wrong with a link to a field that is there, once."""
    summary = page.split('id="error-summary"', 1)[1].split("</ul>", 1)[0]
    names = re.findall(r'href="#([^"]+)"', summary)
    return bool(names) and all(page.count(f' id="{name}"') == 1 for name in names)
