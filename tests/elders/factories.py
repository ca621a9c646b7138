"""Made-up people and files of them for the tests of the register."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

from canteen.db import db, transaction
from canteen.elders import enrolling, ric
from canteen.elders.checking import Enrolment
from canteen.territory.actors import Actor, job
from tests.factories import make_territories

REGION = "129901"
STREET, OTHER_STREET = "120104001", "120103001"
STAFF = Actor(role="street", user_id=7, name="街道", territory=STREET)
DISTRICT = Actor(role="district", user_id=8, name="区", territory="120104")
FOREIGN = Actor(role="district", user_id=9, name="外区", territory="120103")
TILL = Actor(role="cashier", user_id=10, name="收银", canteen_id=1)
CLI = job("test")


def lay_ground() -> None:
    """The city's districts and streets."""
    with transaction():
        make_territories()


def number(born: date = date(1940, 5, 1), sequence: int = 123) -> str:
    """An ID number that belongs to nobody."""
    return ric.make(REGION, born, sequence)


def wish(**changes: Any) -> Enrolment:
    """A person in order, in the first street of the first district."""
    values: dict[str, Any] = {
        "id_number": number(), "name": "曾小单", "street_code": STREET, "household": "120104",
        "phone": "199-0000-1234",
    }
    return Enrolment(**(values | changes))


def enrolled(by: Actor = CLI, **changes: Any) -> int:
    """Somebody on the register."""
    with transaction():
        return enrolling.enrol(wish(**changes), by)


def row(sequence: int, **cells: str) -> dict[str, str]:
    """One row of a file."""
    values = {
        "身份证号": number(date(1945, 3, 2), sequence), "姓名": f"王秀{sequence}",
        "户籍代码": "120104", "街道代码": STREET,
    }
    return values | cells


def write_csv(path: Path, rows: list[dict[str, str]], encoding: str = "utf-8") -> Path:
    """A CSV file of these rows."""
    headings = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding=encoding, newline="") as out:
        writer = csv.DictWriter(out, headings, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def count(model: type) -> int:
    """How many rows a table has."""
    return db.session.query(model).count()
