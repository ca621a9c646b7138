"""One month with twelve planted irregularities: each is found, what is in doubt is held."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask

from canteen import jobs
from canteen.checks import explaining
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.verifying import verify
from tests.stories.irregular import PLANTED, make_month


def test_all_twelve_are_found_with_their_evidence(app: Flask) -> None:
    month = make_month()
    jobs.close_month(month.period)
    found = dict(
        db.session.execute(
            sa.select(Suspicion.code, sa.func.count()).group_by(Suspicion.code)
        ).all()
    )
    assert {code: found.get(code) for code in PLANTED} == PLANTED, found
    for suspicion in db.session.scalars(sa.select(Suspicion)):
        told = explaining.explain(suspicion)
        assert "{" not in told.sentence.zh + told.sentence.en
        assert told.evidence and (told.order_ids or told.elder_ids or suspicion.canteen_id)
    assert verify() == []
