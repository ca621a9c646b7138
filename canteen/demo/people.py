"""The demo city's people: elders with V2024 categories and cards, and a user for every role.

Nobody is real: ID numbers use regions 129901–129916, which were never allotted to any county.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from stdnum import damm

from canteen import clock
from canteen.access.models import User
from canteen.access.passwords import hash_of
from canteen.demo import names
from canteen.demo.places import CITY, Place
from canteen.elders import ric
from canteen.elders.initials import of_name
from canteen.elders.models import Card, Elder, ElderFact, ElderInitials, FamilyMember
from canteen.loading import load
from canteen.subsidies.cases import ElderFacts
from canteen.territory.actors import COUNTER

PASSWORD = "canteen-2026"  # noqa: S105 - of a made-up city
PIN = "260318"
TILL_PIN = "703915"
ENROLLED = datetime(2025, 1, 6, 2, tzinfo=UTC)
GROUPS = (
    # share, youngest, oldest, categories, care level, disability grade
    (0.55, 80, 96, (), None, None),
    (0.15, 70, 79, ("visiting_care",), None, None),
    (0.05, 62, 85, ("home_care_subsidy",), "severe", None),
    (0.04, 60, 69, ("disability_allowance",), None, "1"),
    (0.21, 60, 79, (), None, None),
)
DIETS = (
    "高血压，少盐；对花生过敏", "糖尿病，少糖", "牙口不好，要软", "鸡蛋过敏", "海鲜过敏，其他不忌",
    "吃素", "乳糖不耐受", "高血压，少盐",
)  # fmt: skip

# The two elders the demo's visitor is told of, both of the first canteen.
BORN = {1: date(1943, 3, 8), 2: date(1941, 9, 9)}


@dataclass(slots=True)
class Person:
    """An elder of the demo while meals are being made up."""

    id: int
    birth: date
    home: int  # index of the canteen they usually eat at
    appetite: float
    facts: ElderFacts
    dead_on: date | None = None
    eats_until: date = date.max
    unreadable: bool = False  # the card: the subsidy goes to the account afterwards


def make_elders(rng: Random, count: int, places: list[Place], today: date) -> list[Person]:
    """Elders living near the canteens, busier canteens having more of them."""
    weights = [place.weight for place in places]
    people, elders, initials, facts, cards = [], [], [], [], []
    for number in range(1, count + 1):
        home = rng.choices(range(len(places)), weights)[0]
        place = places[home]
        _, young, old, categories, level, grade = rng.choices(
            GROUPS, [group[0] for group in GROUPS]
        )[0]
        birth = date(today.year - rng.randint(young, old), 1, 1) - timedelta(
            days=rng.randint(0, 360)
        )
        if number in BORN:
            birth, home, place = BORN[number], 0, places[0]
            categories, level, grade = (), None, None
        name = rng.choice(names.SURNAMES) + rng.choice(names.GIVEN)
        region = f"1299{int(place.district[4:]):02d}"
        idno = ric.make(region, birth, number % 1000)
        digest = ric.hash_of(idno)
        street = place.street if number % 20 else place.street[:6] + "001"
        household = street[:6] if number in BORN or rng.random() < 0.97 else "110105"
        person = Person(
            id=number, birth=birth, home=home, appetite=rng.betavariate(1.3, 2.2),
            facts=ElderFacts(
                birth_date=birth, household=household, categories=frozenset(categories),
                care_level=level, disability_grade=int(grade) if grade else None,
            ),
        )
        if number in BORN:  # the visitor of the demo orders for the first, the second eats daily
            person.appetite = 0.12 if number == 1 else 9.0
        if number == 1:
            person.eats_until, person.unreadable = today - timedelta(days=9), True
        if number % 400 == 17 and home:  # the first canteen's month is in order
            person.dead_on = today - timedelta(days=rng.randint(10, 60))
            person.eats_until = person.dead_on + timedelta(days=4)  # somebody used the card
        people.append(person)
        elders.append(
            (
                number, ric.encrypt(idno, digest), digest, idno[-4:], name, birth,
                f"199{number:08d}", f"{number % 10_000:04d}", household, street,
                "deceased" if person.dead_on else "alive", f"acct_demo_elder_{number:04d}",
                diet_of(number), ENROLLED, ENROLLED,
            )
        )
        initials += [(number, reading[:12]) for reading in of_name(name)[:6]]
        for kind, value in (
            *(("category", category) for category in categories),
            ("care_level", level), ("disability_grade", grade),
        ):
            if value:
                since = date(2024, 6, 1)
                facts.append((number, kind, value, since, None, "街道核验", "user:1", ENROLLED))
        if person.dead_on:
            told = clock.instant(person.dead_on + timedelta(days=6), time(9)).astimezone(UTC)
            why = "民政殡葬信息比对"
            facts.append((number, "status", "deceased", person.dead_on, None, why, "user:1", told))
        cards.append((card_of(number), number, date(2025, 1, 6)))
    # Two made-up numbers can coincide when sequences wrap; the later person is left out.
    seen: set[str] = set()
    doubled = {row[0] for row in elders if row[2] in seen or seen.add(row[2])}  # type: ignore[func-returns-value]
    load(
        Elder,
        (
            "id", "ric_cipher", "ric_hash", "ric_last4", "name", "birth_date", "phone",
            "phone_last4", "household", "street_code", "status", "payout_account", "diet_notes",
            "registered_at", "updated_at",
        ),
        (row for row in elders if row[0] not in doubled),
    )  # fmt: skip
    letters = sorted({row for row in initials if row[0] not in doubled})
    load(ElderInitials, ("elder_id", "initials"), letters)
    load(
        ElderFact,
        (
            "elder_id", "kind", "value", "valid_from", "valid_to", "evidence", "recorded_by",
            "recorded_at",
        ),
        (row for row in facts if row[0] not in doubled),
    )
    load(Card, ("number", "elder_id", "issued_on"), (r for r in cards if r[1] not in doubled))
    return [person for person in people if person.id not in doubled]


def diet_of(number: int) -> str:
    """What the register says an elder should not eat: something for every fifth of them."""
    return DIETS[number // 5 % len(DIETS)] if number % 5 == 2 else ""


def card_of(number: int) -> str:
    """The card of the demo's elder of that number: ten digits and a Damm check digit."""
    body = f"8{number * 7919 % 10**9:09d}"
    return body + damm.calc_check_digit(body)


def make_users(rng: Random, places: list[Place], operators: list[int], streets: list[str]) -> None:
    """A sign-in for every office, operator, canteen, and for the first elder and their daughter."""
    staff, pin, mark, at = hash_of(PASSWORD), hash_of(PIN), "demo", ENROLLED
    till_pin = hash_of(TILL_PIN)
    rows: list[tuple[object, ...]] = []

    def add(login: str, name: str, role: str, **ground: object) -> int:
        rows.append(
            (
                len(rows) + 1, login, pin if role in ("elder", "family") else staff, name, role,
                ground.get("territory"), ground.get("operator"), ground.get("canteen"),
                ground.get("elder"), "zh", mark, at, till_pin if role in COUNTER else None,
            )
        )
        return len(rows)

    def person() -> str:
        return rng.choice(names.SURNAMES) + rng.choice(names.GIVEN)

    add("city", person(), "city", territory=CITY)
    add("city2", person(), "city", territory=CITY)
    add("evaluator", person(), "evaluator", territory=CITY)
    for district in sorted({street[:6] for street in streets}):
        add(f"district{district}", person(), "district", territory=district)
    for street in streets:
        add(f"street{street}", person(), "street", territory=street)
    for operator in operators:
        add(f"operator{operator}", person(), "operator", operator=operator)
    for place in places:
        add(f"cashier{place.id}", person(), "cashier", canteen=place.id)
        add(f"manager{place.id}", person(), "manager", canteen=place.id)
    add("elder1", "老人一号", "elder", elder=1)
    daughter = add("family1", "女儿", "family")
    add("city3", "林清", "city", territory=CITY)
    load(
        User,
        (
            "id", "login", "password_hash", "name", "role", "territory_code", "operator_id",
            "canteen_id", "elder_id", "locale", "session_mark", "created_at", "pin_hash",
        ),
        rows,
    )  # fmt: skip
    load(
        FamilyMember, ("elder_id", "user_id", "relation", "since"), [(1, daughter, "女儿", at)]
    )


def sign_ins(places: list[Place]) -> list[dict[str, str]]:
    """One sign-in for every role, all on the ground of the first canteen."""
    first = places[0]
    rows = (
        ("cashier", "收银员", "Cashier", f"cashier{first.id}", "/till"),
        ("manager", "食堂经理", "Canteen manager", f"manager{first.id}", "/till"),
        ("elder", "老人", "Elder", "elder1", "/home"),
        ("family", "家属", "Family member", "family1", "/home"),
        ("operator", "运营企业", "Operator", f"operator{first.operator_id}", "/operator"),
        ("street", "街道", "Street office", f"street{first.street}", "/bureau"),
        ("district", "区民政局", "District bureau", f"district{first.district}", "/bureau"),
        ("city", "市民政局", "City bureau", "city", "/bureau"),
        ("city2", "市民政局(复核)", "City bureau, second person", "city2", "/bureau"),
        ("city3", "市民政局(回盘)", "City bureau, third person", "city3", "/bureau"),
        ("evaluator", "第三方评估", "Evaluator", "evaluator", "/bureau/evaluation"),
    )
    return [
        {
            "role": role, "name_zh": zh, "name_en": en, "login": login,
            "password": PIN if role in ("elder", "family") else PASSWORD, "page": page,
        }
        | ({"pin": TILL_PIN} if role in COUNTER else {})
        for role, zh, en, login, page in rows
    ]


def diners() -> list[dict[str, str]]:
    """The cards a visitor may hold before the first canteen's till."""
    return [
        {
            "card": card_of(1), "name_zh": "83 岁以上老人，本周还没用过补贴",
            "name_en": "An elder of 83 and more, no subsidised meal yet this week",
        },
        {
            "card": card_of(2), "name_zh": "天天来吃的老人：周六、周日已用满 5 次",
            "name_en": "Eats here every day: from Saturday on, 5 of 5 are used",
        },
    ]  # fmt: skip
