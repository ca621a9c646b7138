"""What is the elder's own: the card in use and the family who may order."""

from __future__ import annotations

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from canteen.access.models import User
from canteen.db import db, transaction
from canteen.elders import cards
from canteen.elders import family as kin
from canteen.elders.models import Card
from canteen.errors import CanteenError, NotFound
from canteen.territory.models import Territory
from canteen.web.elder.door import blueprint, the_elder
from canteen.web.forms import whole
from canteen.web.guards import actor
from canteen.web.language import said, t


@blueprint.get("/elders/<int:elder_id>/card")
def card(elder_id: int) -> ResponseReturnValue:
    """The card's number and its code, large enough to be read across a counter."""
    elder = the_elder(elder_id)
    number = cards.current_number(elder_id)
    return render_template(
        "elder/card.html", elder=elder, number=number,
        qr=Markup(cards.qr_svg(number)) if number else None,  # noqa: S704  made of digits by us
        street=db.session.get(Territory, elder.street_code),
    )


@blueprint.get("/elders/<int:elder_id>/card/loss")
def lose_card(elder_id: int) -> ResponseReturnValue:
    """Ask once before a card is closed for good."""
    elder, number = the_elder(elder_id), cards.current_number(elder_id)
    if number is None:
        return redirect(url_for("elder.card", elder_id=elder_id), 303)
    return render_template("elder/lose_card.html", elder=elder, number=number)


@blueprint.post("/cards/<card_number>/loss")
def report_lost(card_number: str) -> ResponseReturnValue:
    """Close the card at once."""
    elder_id = db.session.get_one(Card, card_number).elder_id
    try:
        with transaction():
            cards.report_lost(card_number, actor())
    except CanteenError as refusal:
        flash(said(refusal.text), "look")
    else:
        flash(t("卡已挂失，别人不能再用", "The card is closed; nobody can use it now"), "done")
    return redirect(url_for("elder.card", elder_id=elder_id), 303)


@blueprint.get("/elders/<int:elder_id>/family")
def family(elder_id: int) -> ResponseReturnValue:
    """Who may order for the elder, since when."""
    elder = the_elder(elder_id)
    return render_template(
        "elder/family.html", elder=elder, relatives=_relatives(elder_id), me=actor().user_id,
    )


@blueprint.get("/elders/<int:elder_id>/family/ending")
def end_family(elder_id: int) -> ResponseReturnValue:
    """Ask once before somebody loses the right to order."""
    elder, user_id = the_elder(elder_id), whole(request.args.get("user", ""))
    found = [one for one in _relatives(elder_id) if one[0].user_id == user_id]
    if not found:
        return redirect(url_for("elder.family", elder_id=elder_id), 303)
    return render_template(
        "elder/end_family.html", elder=elder, relative=found[0], me=actor().user_id
    )


@blueprint.post("/elders/<int:elder_id>/family/ending")
def end_now(elder_id: int) -> ResponseReturnValue:
    """End it at once: by the elder, or by the family member for themselves."""
    user_id = whole(request.form.get("user", "")) or 0
    try:
        with transaction():
            kin.end(elder_id, user_id, actor())
    except NotFound:
        flash(t("这位家人已经不在名单上", "This person is not on the list any more"), "look")
    except CanteenError as refusal:
        flash(said(refusal.text), "no")
    else:
        flash(t("好了，这位家人不能再替您点餐", "Done: this person can no longer order"), "done")
    if user_id == actor().user_id:
        return redirect(url_for("elder.home"), 303)
    return redirect(url_for("elder.family", elder_id=elder_id), 303)


def _relatives(elder_id: int) -> list[tuple[kin.Relative, str]]:
    """Who may order, each with their name."""
    found = kin.relatives_of(elder_id, actor())
    query = sa.select(User.id, User.name).where(User.id.in_([one.user_id for one in found]))
    names = {row.id: row.name for row in db.session.execute(query)}
    return [(one, names.get(one.user_id, "")) for one in found]
