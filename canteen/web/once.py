"""Once-only keys at the door: the same request again gets the first answer, not a second act."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flask import Flask, request

from canteen import once
from canteen.db import transaction
from canteen.territory.actors import Actor

HEADER = "Idempotency-Key"
FIELD = "once"


class Answer(NamedTuple):
    """What the act answered, and whether it was done before: a replay is answered with 200."""

    body: Any
    replayed: bool

    def status(self, first: int = 201) -> int:
        """`first` for a new act, 200 for a replay."""
        return 200 if self.replayed else first


def key_sent() -> str | None:
    """The key of this request: the header, or the hidden field a form carries."""
    return request.headers.get(HEADER) or request.form.get(FIELD) or None


def do_once(
    act: Callable[[], Any], wish: Mapping[str, Any], by: Actor, *, required: bool = True
) -> Answer:
    """Do `act` in one transaction under the request's key and keep what it answers.

    `wish` is everything that makes this request what it is: the same key with another wish is
    refused with KeyReused. `act` gives the answer as JSON values. A refused act leaves the key
    free, so it may be tried again. Without a key: refused with BadKey if `required`, else done.
    """
    key = key_sent()
    if key is None and not required:
        with transaction():
            return Answer(act(), False)
    if key is not None and not (key.isascii() and key.isprintable()):
        raise once.BadKey(field=HEADER)
    asked = {"at": request.endpoint, "named": dict(request.view_args or {}), "wish": wish}
    with transaction():
        first = once.claim(by.label, key or "", asked)
        if first is not None:
            return Answer(first, True)
        body = act()
        once.keep(by.label, key or "", body)
    return Answer(body, False)


def new_key() -> str:
    """A fresh key for a form: sent twice, it counts once."""
    return str(uuid.uuid4())


def install(app: Flask) -> None:
    """Give templates `once_key()` for the hidden field `once`."""
    app.jinja_env.globals.update(once_key=new_key)
