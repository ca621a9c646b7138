"""Canteens and their menus, for everyone; the changes of a sign, for those who decide."""

from __future__ import annotations

from typing import Any

from flask import Response

from canteen import clock
from canteen.canteens import finding, listing
from canteen.canteens.models import STATUSES, Canteen
from canteen.errors import NotFound
from canteen.menus import offering
from canteen.web import grounds
from canteen.web.api.document import Door, done
from canteen.web.guards import actor, actor_or_none, guard, public
from canteen.web.once import do_once
from canteen.web.schemas import canteens as schemas

blueprint = Door("canteens", __name__, description="Canteens and menus")


@blueprint.route("/canteens")
@public()
@blueprint.arguments(schemas.CanteensAsked, location="query")
@blueprint.response(200, schemas.CanteenList)
def list_canteens(asked: dict[str, Any]) -> dict[str, Any]:
    """The canteens that sell, with today's hours."""
    page, size = asked["page"], asked["size"]
    found = finding.public_list(
        asked.get("territory"), asked.get("text"), on=clock.business_date(),
        limit=size, offset=(page - 1) * size,
    )
    return {"canteens": found, "page": page, "size": size}


@blueprint.route("/canteens/<int:canteen_id>")
@public()
@blueprint.response(200, schemas.Canteen)
def canteen(canteen_id: int) -> dict[str, Any]:
    """One canteen: any that sells, and those of one's own ground."""
    found = _seen(canteen_id)
    return {
        **{column.key: getattr(found, column.key) for column in Canteen.__table__.columns},
        "hours": finding.hours_of(found.id),
    }


@blueprint.route("/canteens/<int:canteen_id>/menus")
@public()
@blueprint.arguments(schemas.MenusAsked, location="query")
@blueprint.response(200, schemas.DayOfMenus)
def menus(asked: dict[str, Any], canteen_id: int) -> dict[str, Any]:
    """What a canteen offers on a day."""
    on = asked.get("on") or clock.business_date()
    found = offering.menus_of_day(_seen(canteen_id).id, on)
    return {
        "canteen_id": canteen_id, "on": on,
        "menus": [
            {
                "id": menu.menu_id, "meal": menu.meal,
                "items": [
                    {
                        "id": item.item_id, "dish_id": item.dish_id, "name": item.name,
                        "name_en": item.name_en, "kind": item.kind, "marks": item.marks,
                        "price_fen": item.price_fen, "left": item.left, "sold_out": item.left == 0,
                    }
                    for item in menu.items
                ],
            }
            for menu in found
        ],
    }


@blueprint.route("/canteens/<int:canteen_id>/listing-changes", methods=["POST"])
@guard("operator", "district", "city")
@blueprint.written(schemas.ListingChange)
@blueprint.arguments(schemas.ListingWish)
def change_listing(wish: dict[str, Any], canteen_id: int) -> Response:
    """Hang, warn, suspend or take down a canteen's sign, from this instant."""
    by = actor()

    def act() -> Any:
        change = listing.change_status(
            canteen_id, wish["to_status"], wish["reason_code"], wish["reason"], by=by,
            at=clock.now(), expected=wish.get("expected_status"),
        )
        columns = {column.key: getattr(change, column.key) for column in change.__table__.columns}
        return schemas.ListingChange().dump(columns | {"to_text": STATUSES[change.to_status]})

    return done(do_once(act, wish, by, required=False))


def _seen(canteen_id: int) -> Canteen:
    """A canteen that sells, or one of the caller's own ground."""
    if canteen_id > grounds.MOST:
        raise NotFound()
    by = actor_or_none()
    if by is not None:
        try:
            return finding.get_for(by, canteen_id)
        except NotFound:
            pass
    return finding.get_for(None, canteen_id)
