"""A statement says where its sums come from, and each meal why it was subsidised."""

from __future__ import annotations

from flask import Flask

from canteen.settlements.explaining import parts_of, reasons, sentence_of
from canteen.settlements.finding import meals_of
from tests.settlements.factories import close, little_month, statement_of


def test_the_parts_of_a_statement_sum_to_its_total(app: Flask) -> None:
    city = little_month()
    close()
    here = statement_of(city.here)
    parts = parts_of(here)
    assert [part.code for part in parts] == ["elder", "enterprise", "online"]
    assert sum(part.amount_fen for part in parts) == here.total_fen
    said = sentence_of(here)
    assert said.zh.startswith("2026年10月：老人补贴")
    assert said.en.startswith("Oct 2026: Elder subsidies advanced")


def test_each_meal_says_why_it_was_subsidised(app: Flask) -> None:
    city = little_month()
    close()
    meal = meals_of(statement_of(city.here)).rows[0]
    codes = [step.code for step in reasons(meal)]
    assert codes[0] == "list_price"
    assert "group_matched" in codes and "subsidy" in codes
