"""A little city for tests: made-up people, two districts, a canteen in each, a menu today."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from canteen import clock
from canteen.access.models import User
from canteen.canteens.models import (
    Canteen,
    ElderDiscount,
    MealPeriod,
    Operator,
    StandardSetPrice,
)
from canteen.db import db, transaction
from canteen.elders import ric
from canteen.elders.models import Card, Elder, ElderFact, ElderInitials
from canteen.menus.models import Dish, Menu, MenuItem
from canteen.subsidies.policies import load_folder
from canteen.subsidies.publishing import publish
from canteen.territory.actors import Actor, job
from canteen.territory.models import Territory
from tests.keeping import kept

LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)
EVERYWHERE = ["open_fire", "dine_in", "pick_up", "delivery", "online"]


def make_territories() -> None:
    """The city, two districts, two streets in each."""
    rows = [("120000", "city", None, "天津市", "Tianjin")]
    for code, zh, en in (("120103", "河西区", "Hexi"), ("120104", "南开区", "Nankai")):
        rows.append((code, "district", "120000", zh, en))
        for number in (1, 2):
            street = f"{code}00{number}"
            name = f"{zh[:2]}第{number}街道"
            rows.append((street, "street", code, name, f"{en} street {number}"))
    for code, level, parent, zh, en in rows:
        db.session.add(
            Territory(code=code, level=level, parent_code=parent, name_zh=zh, name_en=en)
        )
        db.session.flush()


def make_operator(number: int = 1) -> Operator:
    """An enterprise."""
    operator = Operator(
        name=f"和味餐饮{number}", uscc=f"9112990000000000{number:02d}", contact="郑经理",
        phone="19900000001", payout_account=f"acct_operator_{number}",
    )
    db.session.add(operator)
    db.session.flush()
    return operator


def make_canteen(street: str = "120104001", **changes: Any) -> Canteen:
    """A listed canteen serving three meals every day."""
    number = db.session.query(Canteen).count() + 1
    operator_id = changes.pop("operator_id", None) or make_operator(number).id
    values: dict[str, Any] = {
        "code": f"C{number:04d}", "name": f"老人家食堂{number}", "street_code": street,
        "district_code": street[:6], "operator_id": operator_id, "carrier": "restaurant",
        "tier": 1, "capabilities": list(EVERYWHERE), "address": "某街 1 号",
        "phone": "02200000000", "status": "listed", "status_since": date(2024, 1, 1),
    }
    canteen = Canteen(**(values | changes))
    db.session.add(canteen)
    db.session.flush()
    hours = {"breakfast": (6, 9), "lunch": (10, 14), "dinner": (16, 19)}
    for meal, (opens, closes) in hours.items():
        db.session.add(
            MealPeriod(
                canteen_id=canteen.id, meal=meal, opens=time(opens), closes=time(closes),
                order_until=time(closes),
            )
        )
    db.session.flush()
    return canteen


def make_menu(
    canteen: Canteen, on: date, meal: str = "lunch", prices: tuple[int, ...] = (1500, 300, 700),
    portions: int = 100,
) -> list[MenuItem]:
    """A published menu; the first price is the set's. Gives its items in that order."""
    menu = Menu(canteen_id=canteen.id, on=on, meal=meal, published_at=LONG_AGO)
    db.session.add(menu)
    db.session.flush()
    items = []
    for number, price in enumerate(prices):
        dish = db.session.query(Dish).filter_by(canteen_id=canteen.id, name=f"菜{number}").first()
        if dish is None:
            dish = Dish(
                canteen_id=canteen.id, name=f"菜{number}", name_en=f"Dish {number}",
                kind="set" if number == 0 else "dish", price_fen=price, marks=["soft"],
            )
            db.session.add(dish)
            db.session.flush()
        item = MenuItem(
            menu_id=menu.id, dish_id=dish.id, price_fen=price, portions=portions, taken=0
        )
        db.session.add(item)
        items.append(item)
    db.session.flush()
    return items


def make_elder(
    birth: date = date(1940, 5, 1), street: str = "120104001", name: str = "赵和平",
    sequence: int | None = None, **changes: Any,
) -> Elder:
    """An elder on the register with a card, household where they live."""
    sequence = sequence or db.session.query(Elder).count() + 1
    number = ric.make("129901", birth, sequence)
    digest = ric.hash_of(number)
    values: dict[str, Any] = {
        "ric_cipher": ric.encrypt(number, digest), "ric_hash": digest, "ric_last4": number[-4:],
        "name": name, "birth_date": birth, "phone": f"199000{sequence:05d}",
        "household": street[:6], "street_code": street, "registered_at": LONG_AGO,
        "updated_at": LONG_AGO,
    }
    elder = Elder(**(values | changes))
    db.session.add(elder)
    db.session.flush()
    db.session.add(ElderInitials(elder_id=elder.id, initials="zhp"))
    db.session.add(
        Card(number=f"1000{elder.id:06d}", elder_id=elder.id, issued_on=date(2020, 1, 1))
    )
    db.session.flush()
    return elder


def make_fact(elder: Elder, kind: str, value: str, since: date, until: date | None = None) -> None:
    """Something true of an elder from a day on."""
    db.session.add(
        ElderFact(
            elder_id=elder.id, kind=kind, value=value, valid_from=since, valid_to=until,
            recorded_by="user:1", recorded_at=LONG_AGO,
        )
    )
    db.session.flush()


def make_user(role: str, login: str | None = None, **ground: Any) -> User:
    """A user who cannot sign in with a password (tests that need one set it)."""
    user = User(
        login=login or f"{role}{db.session.query(User).count() + 1}", password_hash="!",
        name=f"{role}", role=role, session_mark="mark", created_at=LONG_AGO, **ground,
    )
    db.session.add(user)
    db.session.flush()
    return user


def actor(user: User, *elder_ids: int, operator_id: int | None = None) -> Actor:
    """The actor this user is."""
    return Actor(
        role=user.role, user_id=user.id, name=user.name, territory=user.territory_code,
        operator_id=user.operator_id, canteen_id=user.canteen_id, elder_ids=elder_ids,
    )


@dataclass
class City:
    """What `make_city` made."""

    here: Canteen
    elsewhere: Canteen
    items: list[MenuItem]
    items_elsewhere: list[MenuItem]
    elder: Elder
    today: date
    now: datetime
    cashier: Actor
    cashier_elsewhere: Actor
    manager: Actor
    elder_actor: Actor
    extra: dict[str, Any] = field(default_factory=dict)


@kept
def make_city(today: date | None = None) -> City:
    """One canteen in 南开 and one in 河西, Tianjin's policies, an elder of 80 and more, menus."""
    today = today or clock.business_date()
    with transaction():
        make_territories()
        publish(load_folder(), "120000", job("test"))
        for district in ("120103", "120104"):
            db.session.add(
                StandardSetPrice(
                    district_code=district, from_on=date(2019, 1, 1), price_fen=1300,
                    set_by="user:1",
                )
            )
        here, elsewhere = make_canteen("120104001"), make_canteen("120103001")
        db.session.add(
            ElderDiscount(
                canteen_id=here.id, min_age=60, from_on=date(2019, 1, 1), discount_bp=1000
            )
        )
        items, items_elsewhere = make_menu(here, today), make_menu(elsewhere, today)
        elder = make_elder()
        users = {
            "cashier": make_user("cashier", canteen_id=here.id),
            "cashier_elsewhere": make_user("cashier", canteen_id=elsewhere.id),
            "manager": make_user("manager", canteen_id=here.id),
        }
        own = make_user("elder", elder_id=elder.id)
    return City(
        here=here, elsewhere=elsewhere, items=items, items_elsewhere=items_elsewhere,
        elder=elder, today=today, now=clock.instant(today, time(11)),
        elder_actor=actor(own, elder.id),
        **{name: actor(user) for name, user in users.items()},
    )
