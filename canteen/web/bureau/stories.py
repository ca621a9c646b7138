"""The story of a meal, an elder, a canteen or a statement: one line of time, in plain words."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from canteen.canteens.models import Canteen
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.elders.models import Elder
from canteen.settlements import finding as statements
from canteen.settlements.models import Statement
from canteen.stories import telling
from canteen.stories.events import KINDS, Event
from canteen.territory.actors import BUREAU
from canteen.web import grounds, looks
from canteen.web.bureau.door import asked, blueprint
from canteen.web.bureau.showing import payee
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text, month

PAGES = {"meal": ("bureau.meal", "meal_id"), "statement": ("bureau.statement", "statement_id"),
         "finding": ("bureau.finding", "suspicion_id")}  # fmt: skip


@blueprint.get("/meals/<int:meal_id>/story")
@guard(*BUREAU)
def meal_story(meal_id: int) -> ResponseReturnValue:
    """Everything that happened to one meal."""
    looks.note("meal", meal_id)
    name = t("第 {n} 号餐单", "Meal no. {n}", n=meal_id)
    return _page(name, url_for("bureau.meal", meal_id=meal_id), telling.of_meal(meal_id))


@blueprint.get("/elders/<int:elder_id>/story")
@guard(*BUREAU)
def elder_story(elder_id: int) -> ResponseReturnValue:
    """What is on record of an elder."""
    looks.note("elder", elder_id)
    elder = db.session.get_one(Elder, elder_id)
    url = url_for("bureau.elder", elder_id=elder_id)
    return _page(elder.name, url, telling.of_elder(elder_id))


@blueprint.get("/canteens/<int:canteen_id>/story")
@guard(*BUREAU)
def canteen_story(canteen_id: int) -> ResponseReturnValue:
    """What a canteen is known for."""
    canteen = db.session.get_one(Canteen, canteen_id)
    name = t(canteen.name, canteen.name_en or canteen.name)
    url = url_for("bureau.canteen", canteen_id=canteen_id)
    return _page(name, url, telling.of_canteen(canteen_id))


@blueprint.get("/statements/<int:statement_id>/story")
@guard(*BUREAU)
def statement_story(statement_id: int) -> ResponseReturnValue:
    """A statement from its closing to the bank."""
    found = statements.get_for(actor(), statement_id)
    if found.elder_id:
        looks.note("statement", statement_id)
    url = url_for("bureau.statement", statement_id=statement_id)
    month_of = month(found.period)
    name = Text("{who} {month}", "{who}, {month}").format(who=payee(found)["name"], month=month_of)
    return _page(name, url, telling.of_statement(statement_id))


def _page(name: Any, url: str, events: list[Event]) -> str:
    kind = asked("kind", KINDS)
    shown = [event for event in events if kind in (None, event.kind)]
    return render_template(
        "bureau/story.html", name=name, thing_url=url, events=shown, kinds=KINDS, kind=kind,
        most=telling.MOST, url_of=_urls(shown), of_all=len(events),
    )


def _urls(events: list[Event]) -> dict[tuple[str, int], str]:
    """The pages of what the events are about, as far as this reader may open them."""
    wanted: dict[str, set[int]] = {}
    for event in events:
        if event.about:
            wanted.setdefault(event.about[0], set()).add(event.about[1])
    columns: dict[str, Any] = {
        "meal": grounds.KINDS["meal_id"], "statement": (Statement.id, statements.visible),
        "finding": grounds.KINDS.get("suspicion_id", (Suspicion.id, lambda _: sa.false())),
    }  # fmt: skip
    urls = {}
    for kind, ids in wanted.items():
        column, reached = columns[kind]
        endpoint, name = PAGES[kind]
        for found in db.session.scalars(sa.select(column).where(column.in_(ids), reached(actor()))):
            urls[kind, found] = url_for(endpoint, **{name: found})
    return urls
