"""An act the database broke off to let another go on is done again, where nothing of it was saved.

Rooms hold what they change in one order, so two acts rarely wait for each other. When they do,
PostgreSQL ends one of them (deadlock, or a serialisation failure). Nobody has to press a button
twice for that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask, g, has_request_context, request
from sqlalchemy.exc import OperationalError

from canteen.db import db

log = structlog.get_logger("canteen.web")

TRIES = 3
BROKEN_OFF = ("40P01", "40001")  # deadlock detected, serialisation failure
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
READING = ("GET", "HEAD", "OPTIONS")


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
        for left in reversed(range(TRIES)):
            g.saved = False
            try:
                return view(*args, **named)
            except OperationalError as fault:
                if not left or g.saved or not broken_off(fault):
                    raise
                db.session.rollback()
                _rewind()
                log.warning("broken_off", endpoint=request.endpoint, reference=g.get("reference"))
        raise AssertionError("the last try answers or raises")

    return tried


def broken_off(fault: OperationalError) -> bool:
    """Whether the database ended this act for another's sake; it may be done again at once."""
    return getattr(fault.orig, "sqlstate", None) in BROKEN_OFF


def _rewind() -> None:
    for _, sent in request.files.items(multi=True):
        sent.stream.seek(0)


@sa.event.listens_for(db.session, "after_commit")
def _saved(session: Any) -> None:
    if has_request_context():
        g.saved = True
