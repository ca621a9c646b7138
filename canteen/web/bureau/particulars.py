"""What the register says of a person, corrected: name, phone, street, diet, where money goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import transaction
from canteen.elders import enrolling, seeing
from canteen.errors import CanteenError
from canteen.payouts import changing_accounts
from canteen.territory.actors import Actor
from canteen.web import looks
from canteen.web.bureau.door import blueprint, place, places
from canteen.web.errors import rendered
from canteen.web.guards import actor
from canteen.web.language import said, t
from canteen.words import Text

# Shown only by their ends, so an empty box leaves them as they are and a tick removes them.
HIDDEN = ("phone",)
SHOWN = ("name", "street_code", "household", "diet_notes")


@blueprint.get("/elders/<int:elder_id>/particulars")
def edit_elder(elder_id: int) -> ResponseReturnValue:
    """The form with what the register says now."""
    found = seeing.get_for(actor(), elder_id)
    looks.note("elder", elder_id)
    return _form(actor(), elder_id, {name: getattr(found, name) for name in SHOWN})


@blueprint.post("/elders/<int:elder_id>/particulars")
def correct(elder_id: int) -> ResponseReturnValue:
    """Correct what differs; somebody who moved to another ground is that office's from now on."""
    by, form = actor(), request.form
    changes: dict[str, Any] = {name: form[name] for name in SHOWN if name in form}
    for name in HIDDEN:
        if form.get(name, "").strip():
            changes[name] = form[name]
        elif form.get(f"no_{name}") == "1":
            changes[name] = None
    try:
        with transaction():
            # Before the phone is changed: the message goes to the contact there was.
            asked = _ask_account(elder_id, by, form)
            enrolling.change(elder_id, by, **changes)
    except CanteenError as refusal:
        return _form(by, elder_id, form, refusal)
    if asked:
        flash(t("新收款账户须由另一位同事核实后生效",
                "A colleague must confirm the new payout account"), "info")  # fmt: skip
    street = form.get("street_code", "").strip()
    if street and not by.reaches(street):
        there = said(place(street))
        flash(t("已转到{street}，由那里继续办理", "Moved to {street}, whose office takes over",
                street=there), "done")  # fmt: skip
        return redirect(url_for("bureau.list_elders"), 303)
    flash(t("资料已更正", "The register is corrected"), "done")
    return redirect(url_for("bureau.elder", elder_id=elder_id), 303)


def _ask_account(elder_id: int, by: Actor, form: Mapping[str, str]) -> bool:
    """Ask for another account, or for none; whether anything was asked for."""
    wanted = form.get("payout_account", "").strip()
    if not wanted and form.get("no_payout_account") != "1":
        return False
    changing_accounts.ask(wanted, by, at=clock.now(), elder_id=elder_id)
    return True


def _form(
    by: Actor, elder_id: int, given: Mapping[str, Any], refusal: CanteenError | None = None
) -> ResponseReturnValue:
    return rendered(
        "bureau/elder_change.html", elder=seeing.get_for(by, elder_id), given=given,
        refusal=refusal, errors=[(refusal.field, refusal.text)] if refusal else [],
        streets=_streets(),
    )


def _streets() -> list[tuple[str, Text]]:
    """Every street of the city by its district: people move across the borders of an office."""
    known = places()
    return [
        (code, Text(f"{known[code[:6]].zh} {name.zh}", f"{known[code[:6]].en}, {name.en}"))
        for code, name in known.items() if len(code) == 9
    ]  # fmt: skip
