"""An act the database broke off to let another go on is done again, where nothing of it was saved.

Rooms hold what they change in one order, so two acts rarely wait for each other. When they do,
PostgreSQL ends one of them (deadlock, or a serialisation failure). Nobody has to press a button
twice for that.

Two acts that both found a key free and then write the same one collide: the database lets one
through. The other is done once more, finds the key taken and meets the refusal its room has for
that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask, g, has_request_context, request
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from canteen.db import db
from canteen.errors import Conflict
from canteen.words import Text

log = structlog.get_logger("canteen.web")

TRIES = 3
BROKEN_OFF = ("40P01", "40001")  # deadlock detected, serialisation failure
# What each database calls a unique key that is taken already.
TAKEN = ("23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
READING = ("GET", "HEAD", "OPTIONS")


class Collided(Conflict):
    """Somebody did the same at the same moment, also at the second try."""

    code = "collided"
    text = Text(
        "刚才有人同时在办同一件事，这次没有保存，请刷新看看结果，需要时再办",
        "Somebody did the same at this very moment and this was not saved; look again, and repeat "
        "it if it is still needed",
    )


def install(app: Flask) -> None:
    """Let every view there is now be done again; called when all doors are open."""
    for endpoint, view in list(app.view_functions.items()):
        app.view_functions[endpoint] = again(view)


def again(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, tried at most TRIES times; after one commit of its own it is tried no more."""

    @wraps(view)
    def tried(*args: Any, **named: Any) -> Any:
        if request.method in READING:
            return view(*args, **named)
        if request.mimetype not in FORMS:
            request.get_data()  # kept, so that it can be read again, as forms are
        collided = False
        for left in reversed(range(TRIES)):
            g.saved = False
            try:
                return view(*args, **named)
            except (OperationalError, IntegrityError) as fault:
                taken = collides(fault)
                if g.saved or not (taken or (left and broken_off(fault))):
                    raise
                db.session.rollback()
                log.warning(
                    "collided" if taken else "broken_off",
                    endpoint=request.endpoint, reference=g.get("reference"),
                )
                if taken and (collided or not left):
                    raise Collided() from fault
                collided = collided or taken
                _rewind()
        raise AssertionError("the last try answers or raises")

    return tried


def broken_off(fault: DBAPIError) -> bool:
    """Whether the database ended this act for another's sake; it may be done again at once."""
    return getattr(fault.orig, "sqlstate", None) in BROKEN_OFF


def collides(fault: DBAPIError) -> bool:
    """Whether the act wrote a unique key that somebody else wrote first."""
    said = getattr(fault.orig, "sqlstate", None) or getattr(fault.orig, "sqlite_errorname", None)
    return said in TAKEN


def _rewind() -> None:
    for _, sent in request.files.items(multi=True):
        sent.stream.seek(0)


@sa.event.listens_for(db.session, "after_commit")
def _saved(session: Any) -> None:
    if has_request_context():
        g.saved = True
