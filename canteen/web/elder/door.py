"""The frame of the elder's door: who comes in, for whom, and the four places they can go."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request, url_for

from canteen.elders import seeing
from canteen.elders.models import Elder
from canteen.territory.actors import HOME
from canteen.web.guards import actor, actor_or_none, guard, guard_door
from canteen.words import Text

blueprint = Blueprint("elder", __name__, url_prefix="/home")
guard_door(blueprint, guard(*HOME))


def the_elder(elder_id: int) -> Elder:
    """The elder a page is about, if the reader may order for them; else NotFound."""
    elder = seeing.get_for(actor(), elder_id)
    g.elder_id = elder_id
    return elder


def for_others(elder_id: int | None = None) -> bool:
    """Whether the reader orders for somebody else."""
    by = actor()
    return by.role == "family" or (elder_id is not None and by.elder_ids[:1] != (elder_id,))


@blueprint.context_processor
def frame() -> dict[str, Any]:
    """The way around, for the elder this page is about."""
    by = actor_or_none()
    if by is None or by.role not in HOME:
        return {}
    at = (request.endpoint or "").partition(".")[2]
    known = g.get("elder_id") or (request.view_args or {}).get("elder_id")
    if known is None and len(by.elder_ids) == 1:
        known = by.elder_ids[0]
    home = url_for("elder.home")
    nav = [(Text("首页", "Home"), home, at in ("home", "home_of"))]
    if known is not None:
        nav[0] = (nav[0][0], url_for("elder.home_of", elder_id=known), nav[0][2])
        places = (
            ("list_orders", Text("订单", "Orders"), ("list_orders", "order", "rate")),
            ("card", Text("卡", "Card"), ("card", "lose_card")),
            ("family", Text("家人", "Family"), ("family", "end_family")),
        )
        for to, label, current in places:
            nav.append((label, url_for(f"elder.{to}", elder_id=known), at in current))
    return {"nav": nav, "home_url": home, "others": by.role == "family"}
