"""Papers: valid on a day or not, running out soon."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from canteen.canteens.licensing import (
    BadPaper,
    PapersMissing,
    add_paper,
    check_papers,
    expiring,
    expiring_count,
    missing_papers,
    missing_papers_of,
    papers_of,
)
from canteen.canteens.models import Canteen
from canteen.db import transaction
from canteen.errors import Forbidden, NotFound
from canteen.territory.actors import Actor
from tests.canteens.factories import CITY, HEXI, NANKAI, make_papers, operator_of
from tests.factories import make_canteen, make_territories

END = date(2026, 12, 1)


@pytest.fixture
def canteen(app: Flask) -> Canteen:
    """A canteen whose papers end on 1 December 2026, but the business licence never."""
    with transaction():
        make_territories()
        canteen = make_canteen()
        owner = operator_of(canteen)
        add_paper(canteen.id, "business", "B1", date(2024, 1, 1), None, by=owner)
        add_paper(canteen.id, "food", "F1", date(2024, 1, 1), END, by=owner)
        add_paper(canteen.id, "agreement", "A1", date(2024, 1, 1), END, by=NANKAI)
    return canteen


def test_a_paper_is_valid_on_its_first_and_last_day(canteen: Canteen) -> None:
    assert missing_papers(canteen.id, date(2023, 12, 31)) == ("business", "food", "agreement")
    assert missing_papers(canteen.id, date(2024, 1, 1)) == ()
    assert missing_papers(canteen.id, END) == ()
    assert missing_papers(canteen.id, date(2026, 12, 2)) == ("food", "agreement")
    with pytest.raises(PapersMissing) as refused:
        check_papers(canteen.id, date(2026, 12, 2))
    assert "Food-operation licence, Agreement" in refused.value.text.en


def test_many_canteens_are_answered_at_once(canteen: Canteen) -> None:
    with transaction():
        other, bare = make_canteen(), make_canteen()
        make_papers(other)
    found = missing_papers_of([canteen.id, other.id, bare.id], date(2026, 12, 2))
    assert found == {
        canteen.id: ("food", "agreement"), other.id: (), bare.id: ("business", "food", "agreement"),
    }


def test_a_renewed_paper_no_longer_runs_out(canteen: Canteen) -> None:
    on = date(2026, 11, 20)
    assert [(row.kind, row.valid_to) for row in expiring(NANKAI, on)] == [
        ("food", END), ("agreement", END),
    ]
    assert expiring(HEXI, on) == [] and len(expiring(CITY, on)) == 2
    assert expiring(NANKAI, on, within_days=5) == []
    for by in (CITY, NANKAI, HEXI):
        listed = expiring(by, on)
        assert expiring_count(by, on) == (len(listed), listed[0].valid_to if listed else None)
    with transaction():
        add_paper(canteen.id, "food", "F2", date(2026, 12, 2), date(2031, 1, 1), by=NANKAI)
    assert [row.kind for row in expiring(NANKAI, on)] == ["agreement"]
    assert [row.number for row in papers_of(canteen.id) if row.kind == "food"] == ["F2", "F1"]


@pytest.mark.parametrize(
    ("kind", "number", "first", "last", "field"),
    [
        ("fishing", "X", date(2026, 1, 1), None, "kind"),
        ("food", " ", date(2026, 1, 1), None, "number"),
        ("food", "长" * 41, date(2026, 1, 1), None, "number"),
        ("food", "X", date(2026, 1, 2), date(2026, 1, 1), "valid_to"),
        ("food", " F1", date(2024, 1, 1), END, "number"),  # entered before
        ("business", "B1", date(2024, 1, 1), None, "number"),
    ],
)
def test_a_bad_paper_names_its_field(
    canteen: Canteen, kind: str, number: str, first: date, last: date | None, field: str
) -> None:
    with pytest.raises(BadPaper) as refused, transaction():
        add_paper(canteen.id, kind, number, first, last, by=NANKAI)
    assert refused.value.field == field


def test_strangers_and_cashiers_enter_no_papers(canteen: Canteen) -> None:
    for actor, refusal in (
        (HEXI, NotFound), (Actor(role="cashier", canteen_id=canteen.id), Forbidden),
    ):  # fmt: skip
        with pytest.raises(refusal), transaction():
            add_paper(canteen.id, "food", "F3", END, None, by=actor)
