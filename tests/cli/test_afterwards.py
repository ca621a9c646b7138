"""The commands for what comes after the month: late facts at once, the purses with a forecast."""

from __future__ import annotations

import json
from datetime import date

from flask import Flask

from canteen import clock
from canteen.cli import main
from canteen.db import db, transaction
from canteen.elders.models import ElderFact
from tests.settlements.factories import close, little_month


def run(app: Flask, *words: str) -> str:
    """What a command prints."""
    result = app.test_cli_runner().invoke(main.commands[words[0]], list(words[1:]))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_fact_told_late_is_put_right_at_once_and_once(app: Flask) -> None:
    city = little_month()
    close()
    with transaction():
        db.session.add(
            ElderFact(
                elder_id=city.elder.id, kind="status", value="deceased",
                valid_from=date(2026, 10, 2), recorded_by="user:1", recorded_at=clock.now(),
            )
        )
    said = run(app, "late-facts")
    assert said.startswith("1 facts: ") and " 0 meals" not in said
    assert run(app, "late-facts").startswith("0 facts: 0 meals taken back")


def test_the_purses_are_shown_for_people_and_machines(app: Flask) -> None:
    little_month()
    lines = run(app, "budgets", "--year", "2026").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["120000", "120103", "120104"]
    said = run(app, "budgets", "--year", "2026", "--json")
    rows = [json.loads(line) for line in said.splitlines()]
    assert all(row["open_fen"] > 0 and row["left_fen"] == -row["open_fen"] for row in rows)
