"""The story of a meal, an elder, a canteen or a statement: one line of time, in plain words."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from flask.typing import ResponseReturnValue

from canteen.access.models import User
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder
from canteen.settlements import finding as statements
from canteen.stories import telling
from canteen.stories.events import KINDS, Event, page
from canteen.territory.actors import BUREAU, Actor
from canteen.web import grounds, looks
from canteen.web.bureau.door import asked, asked_page, at, blueprint
from canteen.web.bureau.showing import payee
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text, month

# What an event may be about: the page of it at this desk or at the operator's, and what names it.
PAGES = {
    "meal": ("meal", "meal", "meal_id"),
    "statement": ("statement", "statement", "statement_id"),
    "finding": ("finding", "problem", "suspicion_id"),
}


def meal_page(by: Actor, meal_id: int) -> ResponseReturnValue:
    """Everything that happened to one meal."""
    looks.note("meal", meal_id)
    name = t("第 {n} 号餐单", "Meal no. {n}", n=meal_id)
    told = telling.of_meal(meal_id, office=by.role in BUREAU)
    return _page(by, name, at("meal", meal_id=meal_id), told)


def canteen_page(by: Actor, canteen_id: int) -> ResponseReturnValue:
    """What a canteen is known for."""
    canteen = db.session.get_one(Canteen, canteen_id)
    name = t(canteen.name, canteen.name_en or canteen.name)
    told = telling.of_canteen(canteen_id, office=by.role in BUREAU)
    return _page(by, name, at("canteen", canteen_id=canteen_id), told)


def statement_page(by: Actor, statement_id: int) -> ResponseReturnValue:
    """A statement from its closing to the bank."""
    found = statements.get_for(by, statement_id)
    if found.elder_id:  # else it names nobody
        looks.note("statement", statement_id)
    name = Text("{who} {month}", "{who}, {month}").format(
        who=payee(found)["name"], month=month(found.period)
    )
    url = at("statement", statement_id=statement_id)
    told = telling.of_statement(statement_id, office=by.role in BUREAU)
    return _page(by, name, url, told)


@blueprint.get("/meals/<int:meal_id>/story")
@guard(*BUREAU)
def meal_story(meal_id: int) -> ResponseReturnValue:
    """Everything that happened to one meal."""
    return meal_page(actor(), meal_id)


@blueprint.get("/elders/<int:elder_id>/story")
@guard(*BUREAU)
def elder_story(elder_id: int) -> ResponseReturnValue:
    """What is on record of an elder."""
    looks.note("elder", elder_id)
    elder = db.session.get_one(Elder, elder_id)
    told = telling.of_elder(elder_id)
    return _page(actor(), elder.name, at("elder", elder_id=elder_id), told)


@blueprint.get("/canteens/<int:canteen_id>/story")
@guard(*BUREAU)
def canteen_story(canteen_id: int) -> ResponseReturnValue:
    """What a canteen is known for."""
    return canteen_page(actor(), canteen_id)


@blueprint.get("/statements/<int:statement_id>/story")
@guard(*BUREAU)
def statement_story(statement_id: int) -> ResponseReturnValue:
    """A statement from its closing to the bank."""
    return statement_page(actor(), statement_id)


def _page(by: Actor, name: Any, url: str, told: list[Event]) -> str:
    kind = asked("kind", KINDS)
    found = page(told, kind, asked_page())
    return render_template(
        "bureau/story.html", name=name, thing_url=url, found=found, kinds=KINDS, kind=kind,
        url_of=_urls(by, found.events), people=_people(found.events),
    )


def _people(events: list[Event]) -> list[User]:
    """Everybody who did something, read at once: who is named is then known already."""
    ids = {event.by.removeprefix("user:") for event in events if event.by.startswith("user:")}
    wanted = User.id.in_([int(each) for each in ids if each.isdigit()])
    return list(db.session.scalars(sa.select(User).where(wanted)))


def _urls(by: Actor, events: list[Event]) -> dict[tuple[str, int], str]:
    """The pages of what the events are about, as far as this reader may open them."""
    wanted: dict[str, set[int]] = {}
    for event in events:
        if event.about:
            wanted.setdefault(event.about[0], set()).add(event.about[1])
    urls = {}
    for kind, ids in wanted.items():
        office, operator, name = PAGES[kind]
        column, reached = grounds.KINDS[name]
        endpoint = operator if request.blueprint == "operator" else office
        for found in db.session.scalars(sa.select(column).where(column.in_(ids), reached(by))):
            urls[kind, found] = at(endpoint, **{name: found})
    return urls
