"""The operator's blueprint: its guard, its navigation, and the words shared with the bureau."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, current_app, g, request, url_for

from canteen.db import db
from canteen.notices import telling
from canteen.settlements import problems
from canteen.settlements.finding import visible
from canteen.settlements.models import Statement
from canteen.territory.actors import Actor
from canteen.web.bureau.door import words
from canteen.web.guards import actor, guard, guard_door
from canteen.web.language import t
from canteen.words import Text

blueprint = Blueprint("operator", __name__, url_prefix="/operator")
guard_door(blueprint, guard("operator"))


def to_confirm(by: Actor) -> int:
    """How many statements wait for the operator."""
    mine = sa.select(sa.func.count()).select_from(Statement)
    return db.session.scalar(mine.where(visible(by), Statement.stage == "operator")) or 0


# The pages of this desk, and whose count stands beside them; one that does not exist is left out.
PAGES = (
    (Text("待办", "To do"), "desk", ""),
    (Text("我的钱在哪", "Where is my money"), "money", ""),
    (Text("待处理的问题", "Problems"), "problems", "problems"),
    (Text("结算单", "Statements"), "statements", "statements"),
    (Text("申诉", "Appeals"), "appeals", ""),
    (Text("收款账户", "Bank account"), "bank_account", ""),
    (Text("我的食堂", "My canteens"), "list_canteens", ""),
    (Text("证照", "Papers"), "list_papers", ""),
    (Text("消息", "Messages"), "notices", "notices"),
)
# Pages whose address does not lie under the tab they belong to.
BEHIND = dict.fromkeys(("meal", "meal_story", "appeal", "answer_correction"), "statements")


def navigation(by: Actor) -> list[tuple[str, str, bool, int]]:
    """The operator's tabs."""
    here, found = request.path, []
    name_of_page = (request.endpoint or "").removeprefix("operator.")
    counts = {
        "statements": to_confirm(by), "problems": problems.to_decide(by),
        "notices": telling.unread_count(by),
    }
    for name, endpoint, waiting in PAGES:
        if f"operator.{endpoint}" not in current_app.view_functions:
            continue
        url = url_for(f"operator.{endpoint}")
        under = here == url or (endpoint != "desk" and here.startswith(url + "/"))
        current = under or BEHIND.get(name_of_page) == endpoint
        found.append((t(*name), url, current, counts.get(waiting, 0)))
    return found


@blueprint.context_processor
def furniture() -> dict[str, Any]:
    """The layout's navigation and every word table."""
    if g.get("actor") is None:
        return words()
    return words() | {
        "nav": navigation(actor()), "home_url": url_for("operator.desk"), "desk": "operator",
        "desk_name": t("运营工作台", "Operator's desk"),
    }
