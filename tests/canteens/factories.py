"""Staff, papers and applications for tests of the canteens."""

from __future__ import annotations

from datetime import date
from typing import Any

from canteen.canteens.models import Canteen, Licence
from canteen.canteens.registering import Particulars
from canteen.db import db
from canteen.territory.actors import Actor

# A code with a right checksum, of a region that was never allotted.
USCC = "91129901MA00000015"

CITY = Actor(role="city", user_id=901, territory="120000")
NANKAI = Actor(role="district", user_id=902, territory="120104")
HEXI = Actor(role="district", user_id=903, territory="120103")
STREET = Actor(role="street", user_id=904, territory="120104001")
EVALUATOR = Actor(role="evaluator", user_id=905, territory="120104")


def operator_of(canteen: Canteen) -> Actor:
    """The operator who runs a canteen."""
    return Actor(role="operator", user_id=906, operator_id=canteen.operator_id)


def make_papers(canteen: Canteen, valid_to: date | None = date(2030, 12, 31)) -> None:
    """All three papers, valid from 2024 on."""
    for kind in ("business", "food", "agreement"):
        db.session.add(
            Licence(
                canteen_id=canteen.id, kind=kind, number=f"{kind}-{canteen.id}",
                valid_from=date(2024, 1, 1), valid_to=valid_to,
            )
        )
    db.session.flush()


def wish(operator_id: int, **changes: Any) -> Particulars:
    """An application with nothing wrong in it."""
    values: dict[str, Any] = {
        "name": "和苑老人家食堂", "street_code": "120104001", "operator_id": operator_id,
        "carrier": "restaurant", "address": "某路 2 号", "phone": "022-00000000",
        "capabilities": ["open_fire", "dine_in", "delivery", "open_kitchen"],
    }
    return Particulars(**(values | changes))
