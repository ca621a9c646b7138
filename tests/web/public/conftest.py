"""A little city as a passer-by sees it, at eleven in the morning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from tests.factories import City, make_city

ON = date(2026, 11, 20)  # a Friday


@pytest.fixture
def at() -> Iterator[time_machine.Coordinates]:
    """Eleven by the clock in Shanghai: lunch is being served."""
    with time_machine.travel(datetime(2026, 11, 20, 3, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def city(app: Flask, at: time_machine.Coordinates) -> City:
    """A canteen in each of two districts, both with lunch today."""
    return make_city(ON)


def words(response: TestResponse) -> str:
    """What a page says, without its tags and the spaces between them."""
    main = response.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))
