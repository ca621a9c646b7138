"""Messages to this office or operator: the latest, and which of them are new."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import transaction
from canteen.notices import telling
from canteen.territory.actors import Actor
from canteen.web.bureau.door import at, blueprint
from canteen.web.forms import row_ids
from canteen.web.guards import actor
from canteen.web.language import t

MOST = 100


def notices_page(by: Actor) -> str:
    """The latest messages, those nobody of this desk read first."""
    found = telling.latest(by, MOST)
    found.sort(key=lambda one: (one.read_at is not None, -one.id))
    return render_template(
        "bureau/notices.html", notices=found,
        unread=[one.id for one in found if one.read_at is None],
    )  # fmt: skip


def mark_read(by: Actor) -> ResponseReturnValue:
    """Note that messages were read; `to` leads on to the page of one of them."""
    chosen = row_ids(request.form.getlist("notice_ids"))
    pages = {one.id: one.path for one in telling.latest(by, MOST)}
    with transaction():
        count = telling.read(chosen, by, clock.now())
    page = pages.get(chosen[0], "") if "open" in request.form and len(chosen) == 1 else ""
    if page.startswith("/") and not page.startswith("//"):  # only ever a page of ours
        return redirect(page, 303)
    flash(t("{n} 条已读", "{n} read", n=count), "done")
    return redirect(at("notices"), 303)


@blueprint.get("/notices")
def notices() -> ResponseReturnValue:
    """The messages to this office."""
    return notices_page(actor())


@blueprint.post("/notices")
def read_notices() -> ResponseReturnValue:
    """Some of them were read."""
    return mark_read(actor())
