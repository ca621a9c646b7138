"""The demo's tablets: one-time codes by which a visitor makes one a till of the first canteen."""

from __future__ import annotations

from datetime import datetime, timedelta

from canteen.demo.places import Place
from canteen.territory.actors import job
from canteen.tills.enrolling import make_code

TABLETS = 2  # to see what two tills without network do to one elder's week
LIVES = timedelta(days=3650)


def till_codes(places: list[Place], at: datetime) -> list[str]:
    """Codes for the first canteen's tablets, each good once, and for years instead of minutes."""
    return [make_code(places[0].id, job("seed"), at, LIVES) for _ in range(TABLETS)]
