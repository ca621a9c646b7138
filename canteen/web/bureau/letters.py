"""Messages to phones that no gateway carries: listed, to be sent by hand and ticked off."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock, config
from canteen.db import transaction
from canteen.payouts import letters as unsent
from canteen.web.bureau.door import blueprint
from canteen.web.forms import row_ids
from canteen.web.guards import actor
from canteen.web.language import t


@blueprint.get("/letters")
def letters() -> ResponseReturnValue:
    """What is still to be told by phone or letter on this ground."""
    return render_template(
        "bureau/letters.html", rows=unsent.to_send(actor()), kinds=unsent.KINDS,
        total=unsent.waiting_count(actor()), carried=bool(config.current().notice_url),
    )


@blueprint.post("/letters")
def letters_sent() -> ResponseReturnValue:
    """Note that the ticked ones were told by hand."""
    with transaction():
        count = unsent.sent_by_hand(
            row_ids(request.form.getlist("notice_ids")), actor(), at=clock.now()
        )
    flash(
        t("已记下 {n} 条已通知", "Noted: {n} were told", n=count) if count
        else t("请先勾选已通知的各条", "Tick those that were told first"),
        "done" if count else "look",
    )  # fmt: skip
    return redirect(url_for("bureau.letters"), 303)
