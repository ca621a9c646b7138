"""Signing a program in, and asking who one is."""

from __future__ import annotations

from typing import Any

from flask import g, request

from canteen.access import signing_in, tokens, users
from canteen.db import transaction
from canteen.territory.actors import Actor
from canteen.web.api.document import Door
from canteen.web.guards import actor, public, signed_in
from canteen.web.schemas import access as schemas

blueprint = Door("tokens", __name__, description="Bearer tokens")


@blueprint.route("/tokens", methods=["POST"])
@public(own_page=False)
@blueprint.response(201, schemas.Token)
@blueprint.arguments(schemas.SignIn)
@blueprint.may_refuse(429)
def make(wish: dict[str, Any]) -> dict[str, Any]:
    """Exchange login and password for a bearer token."""
    with transaction():
        outcome = signing_in.attempt(wish["login"], wish["password"], request.remote_addr or "")
    user = outcome.or_raise()
    by = users.actor_of(user)
    with transaction():
        plain = tokens.make_token(user.id, wish["name"], wish["days"], by)
    return {"token": plain, "who": who(by)}


@blueprint.route("/tokens/current", methods=["DELETE"])
@signed_in()
@blueprint.response(204)
def revoke() -> None:
    """Close the token this request was sent with."""
    _, _, plain = request.headers.get("Authorization", "").partition(" ")
    if g.by_token:
        with transaction():
            tokens.revoke(tokens.digest_of(plain.strip()), actor())


@blueprint.route("/me")
@signed_in()
@blueprint.response(200, schemas.Who)
def me() -> dict[str, Any]:
    """Whom this token, or this session, acts as."""
    return who(actor())


def who(by: Actor) -> dict[str, Any]:
    """An actor as the API shows one."""
    return {
        "role": by.role, "role_text": by.role_text, "name": by.name, "user_id": by.user_id,
        "territory": by.territory, "operator_id": by.operator_id, "canteen_id": by.canteen_id,
        "elder_ids": list(by.elder_ids),
    }
