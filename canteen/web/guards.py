"""Who may come in: every view declares its guard, and one hook keeps them all.

A view without a declared guard is never answered. The order is always the same: is the body too
long, who asks, may that role use this door (403), did the wish come from our own page (400), and
does the thing the address names lie on their ground (else 404: a stranger may not learn that it
exists).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, Flask, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import RequestEntityTooLarge, Unauthorized

from canteen.errors import Forbidden, NotFound, Refused
from canteen.territory.actors import ROLES, Actor
from canteen.web import grounds, sessions
from canteen.words import Text

MB = 1024 * 1024
USUAL_BODY = 2 * MB
SIGNED_IN = tuple(role for role in ROLES if role != "job")
READING = ("GET", "HEAD", "OPTIONS")

csrf = CSRFProtect()
View = TypeVar("View", bound=Callable[..., Any])


class BadCharacter(Refused):
    """A text holds a character that cannot be kept."""

    code = "bad_character"
    text = Text(
        "内容里有无法保存的字符，请重新输入",
        "The text holds a character that cannot be kept; type it again",
    )


@dataclass(frozen=True)
class Guard:
    """What a view asks of its caller. No roles: anyone, signed in or not."""

    roles: tuple[str, ...] = ()
    body: int = USUAL_BODY
    own_page: bool = True

    def __call__(self, view: View) -> View:
        """Declare this guard on a view."""
        view.__guard__ = self  # type: ignore[attr-defined]
        return view


def guard(*roles: str, body: int = USUAL_BODY) -> Guard:
    """Only these roles may use the view; `body` is the longest body it reads, in bytes."""
    unknown = set(roles) - set(SIGNED_IN)
    if unknown or not roles:
        raise ValueError(f"no such role: {', '.join(sorted(unknown)) or 'none given'}")
    return Guard(roles, body)


def signed_in(*, body: int = USUAL_BODY) -> Guard:
    """Anyone who is signed in may use the view."""
    return Guard(SIGNED_IN, body)


def public(*, body: int = USUAL_BODY, own_page: bool = True) -> Guard:
    """Anyone may use the view; `own_page=False` lets programs post to it without a page's token."""
    return Guard((), body, own_page)


def guard_door(blueprint: Blueprint, kept: Guard) -> None:
    """Declare a guard for every view of a blueprint that declares none of its own."""
    blueprint.__guard__ = kept  # type: ignore[attr-defined]


def declared(app: Flask, endpoint: str) -> Guard | None:
    """The guard of an endpoint: its view's own, else the nearest blueprint's above it."""
    own = getattr(app.view_functions.get(endpoint), "__guard__", None)
    if own is not None:
        return own
    name = endpoint.rpartition(".")[0]
    while name:
        kept = getattr(app.blueprints.get(name), "__guard__", None)
        if kept is not None:
            return kept
        name = name.rpartition(".")[0]
    return None


def actor() -> Actor:
    """Who asks. Only for views whose guard lets in nobody unknown."""
    if g.actor is None:
        raise Unauthorized()
    return g.actor


def actor_or_none() -> Actor | None:
    """Who asks, or None for a passer-by."""
    return g.get("actor")


def install(app: Flask) -> None:
    """Keep the guards of every door of this application."""
    app.config.setdefault("WTF_CSRF_ENABLED", not app.testing)
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)  # `_keep` asks, after it knows who
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # a till stays open all day
    app.config.setdefault("WTF_CSRF_SSL_STRICT", False)
    app.config["MAX_CONTENT_LENGTH"] = USUAL_BODY
    csrf.init_app(app)
    if "static" in app.view_functions:
        public()(app.view_functions["static"])
    app.before_request(_keep)
    app.context_processor(lambda: {"actor": sessions.reader()})


def _keep() -> ResponseReturnValue | None:
    """Before every request: find out who asks and whether they may."""
    g.reference = uuid.uuid4().hex[:12]
    g.actor, g.by_token, g.token_failure = None, False, None
    endpoint = request.endpoint
    if endpoint is None:  # no such page, or not with this method: said by the error handlers
        sessions.recognise()
        return None
    kept = declared(current_app, endpoint)
    if kept is None:
        raise RuntimeError(f"{endpoint} has no declared guard")
    request.max_content_length = kept.body
    if (request.content_length or 0) > kept.body:
        raise RequestEntityTooLarge()
    if endpoint == "static":
        return None
    if kept.roles or kept.own_page:  # a program that brings its own proof has no session
        sessions.recognise()
    if kept.roles:
        if g.actor is None:
            return _ask_to_sign_in()
        if g.actor.role not in kept.roles:
            raise Forbidden()
        sessions.refuse_till_shut_out()
    by_form = kept.own_page and not g.by_token
    if by_form and request.method not in READING and current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()
    if not is_api():  # there the schemas say which field
        _refuse_nul(kept)
    if kept.roles and request.view_args:
        grounds.check(g.actor, request.view_args)
    return None


def _refuse_nul(kept: Guard) -> None:
    """Refuse a text with a NUL in it: no keyboard writes one, and PostgreSQL cannot hold it."""
    if any("\0" in value for value in (request.view_args or {}).values() if isinstance(value, str)):
        raise NotFound()
    sent = (request.args, request.form) if kept.own_page else (request.args,)
    for name, values in (pair for given in sent for pair in given.lists()):
        if any("\0" in value for value in values):
            raise BadCharacter(field=name.replace("\0", ""))


def _ask_to_sign_in() -> ResponseReturnValue:
    """A page sends the reader to the sign-in page and back; the API answers 401."""
    if is_api():
        how = {"realm": "canteen"} | ({"error": "invalid_token"} if g.token_failure else {})
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", how))
    here = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("signing_in.sign_in", next=here), 303)


def is_api() -> bool:
    """Whether this request came in by the API."""
    return request.path.startswith("/api/")
