"""Elders: found at the till, enrolled and looked at by the offices."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders import enrolling, identifying, seeing
from canteen.elders.checking import Enrolment, FactWish
from canteen.elders.models import Elder, ElderFact
from canteen.payouts import changing_accounts
from canteen.territory.actors import BUREAU, COUNTER, HOME, Actor
from canteen.web import looks
from canteen.web.api.document import Door, done
from canteen.web.guards import actor, guard
from canteen.web.once import do_once
from canteen.web.schemas import elders as schemas

blueprint = Door("elders", __name__, description="The register of elders")


@blueprint.route("/elder-searches", methods=["POST"])
@guard(*COUNTER, *BUREAU)
@blueprint.response(200, schemas.FoundList)
@blueprint.arguments(schemas.Search)
def search(wish: dict[str, Any]) -> dict[str, Any]:
    """The people a card, a number, a phone or a name may mean; a body, because it is private."""
    by = actor()
    found = identifying.find(wish["text"], by, near=_near(by))
    if by.role in BUREAU:
        looks.note_search(len(found))
    return {"elders": found}


@blueprint.route("/elders/<int:elder_id>")
@guard(*BUREAU, *HOME)
@blueprint.response(200, schemas.Elder)
def elder(elder_id: int) -> dict[str, Any]:
    """What the register says of a person; the ID number is masked."""
    found = seeing.get_for(actor(), elder_id)
    looks.note("elder", elder_id)
    return _shown(found)


@blueprint.route("/elders", methods=["POST"])
@guard(*BUREAU)
@blueprint.written(schemas.Elder)
@blueprint.arguments(schemas.Enrolment)
@blueprint.may_refuse(404)
def enrol(wish: dict[str, Any]) -> Response:
    """Put a person on the register."""
    by = actor()
    facts = tuple(FactWish(**one) for one in wish["facts"])
    # The wish is kept as a digest only, so the number in it stays nowhere.
    def act() -> Any:
        elder_id = enrolling.enrol(Enrolment(**(wish | {"facts": facts})), by)
        if wish["payout_account"]:
            changing_accounts.ask(
                wish["payout_account"], by, at=clock.now(), elder_id=elder_id
            )
        return schemas.Elder().dump(_shown(seeing.get_for(by, elder_id)))

    return done(do_once(act, wish, by, required=False))


def _near(by: Actor) -> str | None:
    """The street of the caller's till."""
    if by.canteen_id is None:
        return None
    return db.session.scalar(sa.select(Canteen.street_code).where(Canteen.id == by.canteen_id))


def _shown(found: Elder) -> dict[str, Any]:
    facts = db.session.scalars(
        sa.select(ElderFact)
        .where(ElderFact.elder_id == found.id)
        .order_by(ElderFact.valid_from, ElderFact.id)
    )
    shown = {
        name: getattr(found, name)
        for name in schemas.Elder().fields
        if name not in ("facts", "id_number_masked")
    }
    return shown | {"id_number_masked": seeing.masked_number(found), "facts": list(facts)}
