"""The operator's blueprint: its guard, its navigation, and the words shared with the bureau."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g, request, url_for

from canteen.db import db
from canteen.settlements.finding import visible
from canteen.settlements.models import Statement
from canteen.territory.actors import Actor
from canteen.web.bureau.door import words
from canteen.web.guards import actor, guard, guard_door
from canteen.web.language import t

blueprint = Blueprint("operator", __name__, url_prefix="/operator")
guard_door(blueprint, guard("operator"))


def to_confirm(by: Actor) -> int:
    """How many statements wait for the operator."""
    mine = sa.select(sa.func.count()).select_from(Statement)
    return db.session.scalar(mine.where(visible(by), Statement.stage == "operator")) or 0


def navigation(by: Actor) -> list[tuple[str, str, bool, int]]:
    """The operator's tabs."""
    here = request.path

    def tab(name: str, endpoint: str, count: int = 0) -> tuple[str, str, bool, int]:
        url = url_for(f"operator.{endpoint}")
        current = here == url or (endpoint != "desk" and here.startswith(url + "/"))
        return name, url, current, count

    return [
        tab(t("我的钱到哪了", "Where is my money"), "desk"),
        tab(t("结算单", "Statements"), "statements", to_confirm(by)),
        tab(t("我的食堂", "My canteens"), "list_canteens"),
        tab(t("证照", "Papers"), "list_papers"),
    ]


@blueprint.context_processor
def furniture() -> dict[str, Any]:
    """The layout's navigation and every word table."""
    if g.get("actor") is None:
        return words()
    return words() | {
        "nav": navigation(actor()), "home_url": url_for("operator.desk"), "desk": "operator",
        "desk_name": t("运营工作台", "Operator's desk"),
    }
