"""The district's rule for tills without network: set from a day on, shown with its history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from canteen import clock
from canteen.db import db
from canteen.tills.models import OfflineRule
from canteen.tills.ruling import DEFAULT, rule_for
from tests.factories import City
from tests.settlements.factories import Hands
from tests.web.bureau.conftest import Enter


def sent(**changes: str) -> dict[str, str]:
    """A whole form."""
    return {
        "district": "120104", "per_elder": "2", "per_till": "80", "excess": "programme",
        "limit_fen": "300.00", "from_on": clock.business_date().isoformat(),
    } | changes  # fmt: skip


def test_the_district_sets_its_rule_from_a_day_on(city: City, hands: Hands, enter: Enter) -> None:
    desk, today = enter(hands.district), clock.business_date()
    later = today + timedelta(days=9)
    assert "系统默认" in desk.get("/bureau/offline-rule").text
    assert desk.post("/bureau/offline-rule", data=sent()).status_code == 303
    change = sent(excess="canteen", per_elder="3", from_on=later.isoformat())
    assert desk.post("/bureau/offline-rule", data=change).status_code == 303
    db.session.rollback()
    now, then = rule_for("120104", today), rule_for("120104", later)
    assert (now.per_elder, now.per_till, now.excess, now.limit_fen) == (2, 80, "programme", 30000)
    assert (then.per_elder, then.excess, then.limit_fen) == (3, "canteen", 0)
    assert rule_for("120103", today) == DEFAULT
    page = desk.get("/bureau/offline-rule").text
    assert "将生效" in page and "现行" in page and "300.00" in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"district": "120103"}, "district"), ({"per_elder": "22"}, "per_elder"),
        ({"per_till": "-1"}, "per_till"), ({"excess": "nobody"}, "excess"),
        ({"limit_fen": "abc"}, "limit_fen"), ({"from_on": "2020-01-01"}, "from_on"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_given_back_with_the_field_named(
    city: City, hands: Hands, enter: Enter, wrong: dict[str, str], field: str
) -> None:
    refused = enter(hands.district).post("/bureau/offline-rule", data=sent(**wrong))
    assert refused.status_code == 422 and f'href="#{field}"' in refused.text
    assert db.session.query(OfflineRule).count() == 0


def test_the_page_stands_beside_the_price_and_a_street_has_none(
    city: City, hands: Hands, enter: Enter
) -> None:
    assert "/bureau/offline-rule" in enter(hands.district).get("/bureau/standard-set").text
    assert enter(hands.street).get("/bureau/offline-rule").status_code == 403
    city_desk = enter(hands.city)
    city_desk.set_cookie("lang", "en")
    assert "Hexi" in city_desk.get("/bureau/offline-rule").text
