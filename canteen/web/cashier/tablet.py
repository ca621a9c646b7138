"""What the till's app asks for: who it is, who opens it, what it may know, and who stands there."""

from __future__ import annotations

import gzip
import hashlib
import unicodedata
from typing import Any

import msgspec
import sqlalchemy as sa
from flask import Response, current_app, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from canteen import clock
from canteen.access import pins
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.elders import identifying
from canteen.errors import Forbidden, NotFound
from canteen.menus import publishing
from canteen.menus.models import Menu, MenuItem
from canteen.territory.actors import COUNTER
from canteen.tills import enrolling, packing
from canteen.tills.journal import TillWithdrawn
from canteen.tills.keys import key_of
from canteen.tills.models import Till
from canteen.web import sessions
from canteen.web.cashier.door import blueprint, here, to_collect
from canteen.web.errors import wants_json
from canteen.web.forms import BadField, whole
from canteen.web.guards import BadCharacter, actor, actor_or_none, public
from canteen.web.language import A_YEAR, locale
from canteen.words import Text

MARK = "till"  # the cookie by which a tablet is known before anybody has signed in on it
SURE = 7  # a card, ID or phone number has at least so many digits
SMALL_BODY = 16 * 1024


class NoTill(Forbidden):
    """Nobody opened a till on this tablet, or it is another canteen's."""

    code = "no_till"
    text = Text("请先用 PIN 码打开收银机", "Open the till with your PIN first")


def till_here() -> Till:
    """The till this session opened. Refuses NoTill, and TillWithdrawn once it is shut out."""
    till_id = session.get("till")
    if not isinstance(till_id, int):
        raise NoTill()
    try:
        return enrolling.working(till_id, actor())
    except NotFound:
        raise NoTill() from None


@blueprint.get("/hello")
@public()
def hello() -> ResponseReturnValue:
    """The probe of the network: the time, the token for writes, and who is signed in."""
    by = actor_or_none()
    till = _known(request.args.get("till", ""))
    at_counter = by is not None and by.role in COUNTER
    answer = jsonify(
        now=packing.instant(clock.now()), csrf=generate_csrf(), locale=locale(),
        till={"id": till.id, "name": till.name, "head": till.head,
              "withdrawn": till.withdrawn_at is not None} if till else None,
        user={"id": by.user_id, "name": by.name, "role": by.role} if by and at_counter else None,
        canteen_id=by.canteen_id if by and at_counter else None,
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/door")
@public()
def door() -> ResponseReturnValue:
    """Who may open this till. Only the tablet itself, or its canteen's people, may ask."""
    till = _known(request.args.get("till", ""))
    if till is None:
        raise NotFound()
    canteen = db.session.get_one(Canteen, till.canteen_id)
    answer = jsonify(
        canteen={"name": canteen.name, "name_en": canteen.name_en or canteen.name},
        cashiers=[
            {"id": user.id, "name": user.name, "role": user.role,
             "has_pin": user.pin_hash is not None}
            for user in pins.of_canteen(canteen.id)
        ],
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/enrolment")
@public(body=SMALL_BODY)
def enrol() -> ResponseReturnValue:
    """Make this tablet a till by a manager's one-time code; its key is told this once."""
    wish = _wish()
    code, name = _text(wish, "code", 40), _text(wish, "name", 60)
    with transaction():
        outcome = enrolling.enrol(code, name, request.remote_addr or "", clock.now())
    if outcome.till is None:
        raise outcome.refusal or enrolling.WrongCode(field="code")
    till = outcome.till
    canteen = db.session.get_one(Canteen, till.canteen_id)
    answer = jsonify(
        till={
            "id": till.id, "name": till.name, "canteen_id": canteen.id,
            "canteen_name": canteen.name, "canteen_name_en": canteen.name_en or canteen.name,
        },
        key=key_of(till).hex(),
    )  # fmt: skip
    answer.status_code = 201
    answer.headers["Cache-Control"] = "no-store"
    return _marked(answer, till)


@blueprint.post("/session")
@public(body=SMALL_BODY)
def open_till() -> ResponseReturnValue:
    """Somebody of the counter opens this till with their PIN."""
    wish = _wish()
    till_id, user_id = _whole(wish, "till"), _whole(wish, "user_id")
    pin = _text(wish, "pin", 40)
    till = _known(str(till_id))
    if till is None:
        raise NotFound()
    if till.withdrawn_at is not None:
        raise TillWithdrawn()
    with transaction():
        at = clock.now()
        outcome = pins.attempt_pin(
            user_id, pin, canteen_id=till.canteen_id, till=till.id,
            remote=request.remote_addr or "", at=at,
        )
        if outcome.user is not None:
            db.session.execute(sa.update(Till).where(Till.id == till.id).values(seen_at=at))
    user = outcome.or_raise()
    sessions.begin(user)
    session["till"] = till.id
    answer = jsonify(
        user={"id": user.id, "name": user.name, "role": user.role}, csrf=generate_csrf(),
        canteen_id=user.canteen_id,
    )  # fmt: skip
    return _marked(answer, till)


@blueprint.delete("/session")
@public(body=SMALL_BODY)
def lock_till() -> ResponseReturnValue:
    """Nobody is at this till any more; what it has not sent stays on the tablet."""
    sessions.end()
    return Response(status=204)


@blueprint.get("/pack")
def pack() -> ResponseReturnValue:
    """What this till needs to sell without network; 304 when it has it already."""
    whole = packing.pack(till_here(), here(), clock.now(), request.host_url.rstrip("/"))
    made_at = whole.pop("made_at")
    mark = hashlib.sha256(msgspec.json.encode(whole)).hexdigest()[:32]
    if request.if_none_match.contains_weak(mark):
        answer = Response(status=304)
    else:
        answer = _compressed(msgspec.json.encode({"v": whole.pop("v"), "made_at": made_at} | whole))
    answer.set_etag(mark, weak=True)
    return answer


@blueprint.post("/find")
def find_diner() -> ResponseReturnValue:
    """Who a scanned or typed text may mean, with what counts of them now. It is sent in the body:
    an address would leave it in logs."""
    wish = _wish()
    text = _text(wish, "text", 40)
    till, canteen, today = till_here(), here(), clock.business_date()
    found = identifying.find(text, actor(), near=canteen.street_code)
    told = {one["id"]: one for one in packing.elders([one.id for one in found], till, today)}
    fresh = [
        told[one.id] | {
            "fresh": True, "last4": one.last4, "near": one.near, "card": one.card,
            "street": {"zh": one.street.zh, "en": one.street.en},
        }
        for one in found
    ]  # fmt: skip
    sure = len(fresh) == 1 and sum(sign.isdigit() for sign in text) >= SURE
    return jsonify(found=fresh, sure=sure)


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """What changes by the minute: portions left, orders waiting, the journal's head."""
    till, now = till_here(), clock.now()
    rows = db.session.execute(
        sa.select(MenuItem.id, MenuItem.portions - MenuItem.taken, MenuItem.sold_out)
        .join(Menu, Menu.id == MenuItem.menu_id)
        .where(
            Menu.canteen_id == till.canteen_id, Menu.on == clock.business_date(now),
            Menu.published_at.is_not(None),
        )
    ).all()
    return jsonify(
        now=packing.instant(now), head=till.head, waiting=to_collect(till.canteen_id),
        left={item: 0 if gone else left for item, left, gone in rows},
        gone=[item for item, _, gone in rows if gone],
    )


@blueprint.post("/items/<int:item_id>/sold-out")
def sold_out(item_id: int) -> ResponseReturnValue:
    """There is no more of a dish, from this instant, at the till and on line."""
    with transaction():
        publishing.sold_out(item_id, by=actor(), at=clock.now())
    return _item(item_id)


@blueprint.post("/items/<int:item_id>/back-on")
def back_on(item_id: int) -> ResponseReturnValue:
    """There is some of it after all."""
    with transaction():
        publishing.back_on(item_id, by=actor(), at=clock.now())
    return _item(item_id)


def _item(item_id: int) -> ResponseReturnValue:
    if not wants_json():
        return redirect(url_for("cashier.till"), 303)
    item = db.session.get_one(MenuItem, item_id)
    left = 0 if item.sold_out else item.portions - item.taken
    return jsonify(item_id=item.id, left=left, gone=item.sold_out)


def _known(number: str) -> Till | None:
    """The till with this number, for the tablet that is it and for people of its canteen."""
    till_id = whole(number)
    till = db.session.get(Till, till_id) if till_id is not None else None
    if till is None:
        return None
    by = actor_or_none()
    own = by is not None and by.role in COUNTER and by.canteen_id == till.canteen_id
    return till if own or enrolling.is_marked(till, request.cookies.get(MARK, "")) else None


def _marked(answer: Response, till: Till) -> Response:
    """Let the tablet show from now on which till it is; no script can read it."""
    answer.set_cookie(
        MARK, enrolling.mark_of(till), max_age=A_YEAR, path="/till", httponly=True,
        secure=current_app.config["SETTINGS"].https, samesite="Strict",
    )
    return answer


def _compressed(body: bytes) -> Response:
    answer = Response(body, mimetype="application/json")
    answer.vary.add("Accept-Encoding")
    if request.accept_encodings.find("gzip") >= 0:
        answer.set_data(gzip.compress(body, 5, mtime=0))
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def _wish() -> dict[str, Any]:
    """The JSON object that was sent."""
    try:
        given = request.get_json()
    except RecursionError:  # brackets within brackets, thousands deep
        given = None
    if not isinstance(given, dict):
        raise BadField(Text("应为一个 JSON 对象", "A JSON object, please"))
    return given


def _text(wish: dict[str, Any], name: str, most: int) -> str:
    value = wish.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise BadField(field=name)
    value = " ".join(value.split())
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value):
        raise BadCharacter(field=name)
    return value


def _whole(wish: dict[str, Any], name: str) -> int:
    value = wish.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
        raise BadField(field=name)
    return value
