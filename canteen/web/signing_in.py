"""Signing in and out, the way home for every role, and the choice of language."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from canteen.access import signing_in as access
from canteen.db import transaction
from canteen.web import sessions
from canteen.web.errors import status_of
from canteen.web.guards import actor_or_none, guard_door, public
from canteen.web.language import LANGUAGE_COOKIE, LOCALES, remember
from canteen.web.ways_back import nearest_page

HOMES = {
    "cashier": "/till", "manager": "/till", "elder": "/home", "family": "/home",
    "street": "/bureau", "district": "/bureau", "city": "/bureau",
    "evaluator": "/bureau/evaluation", "operator": "/operator",
}
PASSERS_BY = "/canteens"

blueprint = Blueprint("signing_in", __name__)
guard_door(blueprint, public())


def safe_next(wish: str | None) -> str | None:
    """An address of our own to go back to, or None: never another host's, never a script."""
    if not wish or len(wish) > 500 or not wish.startswith("/") or wish.startswith(("//", "/\\")):
        return None
    if any(ord(letter) < 32 or letter == "\\" for letter in wish):
        return None
    parts = urlsplit(wish)
    return None if parts.scheme or parts.netloc else wish


def _onward(wish: str | None) -> str | None:
    """Where to go after signing in: not to the form again."""
    onward = safe_next(wish)
    return None if onward and urlsplit(onward).path in ("/sign-in", "/sign-out") else onward


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """Everybody's own start: the desk of their role, or the public list."""
    actor = actor_or_none()
    return redirect(HOMES[actor.role] if actor else PASSERS_BY, 303)


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form; who is signed in already is sent on."""
    wish = _onward(request.args.get("next"))
    actor = actor_or_none()
    if actor is not None:
        return redirect(wish or HOMES[actor.role], 303)
    return render_template("sign_in.html", next=wish, login="", error=None)


@blueprint.post("/sign-in")
def enter() -> ResponseReturnValue:
    """Let somebody in, or say that login or password is wrong, never which of them."""
    login = request.form.get("login", "").strip()[:80]
    wish = _onward(request.form.get("next"))
    with transaction():
        outcome = access.attempt(
            login, request.form.get("password", "")[:200], request.remote_addr or ""
        )
    if outcome.user is None:
        refusal = outcome.refusal or access.WrongSignIn()
        status, headers = status_of(refusal)
        page = render_template("sign_in.html", next=wish, login=login, error=refusal.text)
        return page, status, headers
    sessions.begin(outcome.user)
    response = redirect(wish or HOMES[outcome.user.role], 303)
    if request.cookies.get(LANGUAGE_COOKIE) not in LOCALES:
        _keep_language(response, outcome.user.locale)
    return response


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Forget who sat here."""
    sessions.end()
    return redirect("/sign-in", 303)


@blueprint.route("/language/<language>", methods=["GET", "POST"])
def choose_language(language: str) -> ResponseReturnValue:
    """Read on in the other language, on the page the reader came from."""
    response = redirect(nearest_page(safe_next(request.values.get("next")) or "/"), 303)
    if language in LOCALES:
        _keep_language(response, language)
    return response


def _keep_language(response: object, language: str) -> None:
    remember(response, LANGUAGE_COOKIE, language, secure=current_app.config["SETTINGS"].https)
