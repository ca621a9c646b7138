"""Keeping the register: people enrolled, facts recorded and ended with dates, cards given."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import db, transaction
from canteen.elders import cards, enrolling
from canteen.elders.checking import Enrolment, FactWish
from canteen.elders.models import ElderFact
from canteen.errors import CanteenError
from canteen.payouts import changing_accounts
from canteen.web.bureau.door import blueprint, grounds
from canteen.web.bureau.elders import FACT_KINDS, FACT_VALUES, elder_page
from canteen.web.forms import LATEST, Fields, give_back, point
from canteen.web.guards import actor
from canteen.web.language import t


@blueprint.get("/elders/new")
def new_elder() -> ResponseReturnValue:
    """The form to put a person on the register."""
    return render_template(
        "bureau/elder_new.html", streets=grounds(actor(), "street"), given={}, errors=[]
    )


@blueprint.post("/elders")
def enrol() -> ResponseReturnValue:
    """Put a person on the register, or give the form back naming what is wrong."""
    by, given = actor(), request.form
    try:
        wish = Enrolment(
            id_number=given.get("id_number", ""), name=given.get("name", ""),
            street_code=given.get("street_code", ""),
            household=given.get("household", "") or given.get("street_code", ""),
            phone=given.get("phone") or None, payout_account=given.get("payout_account") or None,
            diet_notes=given.get("diet_notes", ""),
        )  # fmt: skip
        with transaction():
            elder_id = enrolling.enrol(wish, by)
            if wish.payout_account:
                changing_accounts.ask(
                    wish.payout_account, by, at=clock.now(), elder_id=elder_id
                )
            if given.get("card") == "1":
                cards.issue(elder_id, by)
    except CanteenError as refusal:
        return give_back(
            "bureau/elder_new.html", refusal, given, streets=grounds(by, "street")
        )
    flash(
        t("已登记。请接着记入困难类别等情况", "Enrolled. Now record what is true of them"), "done"
    )
    return redirect(url_for("bureau.elder", elder_id=elder_id), 303)


@blueprint.post("/elders/<int:elder_id>/facts")
def record_fact(elder_id: int) -> ResponseReturnValue:
    """Record something true of a person from a day on."""
    by, fields = actor(), Fields(request.form)
    try:
        kind, _, value = str(fields.choice("what", whats())).partition(":")
        wish = FactWish(
            kind, value, fields.day("valid_from", since=1900) or clock.business_date(),
            fields.day("valid_to", required=False, until=LATEST),
            fields.text("evidence", most=120, required=False),
        )  # fmt: skip
        with transaction():
            enrolling.record_fact(elder_id, wish, by)
    except CanteenError as refusal:
        return elder_page(by, elder_id, refusal, act="fact", typed=request.form)
    flash(
        t("已记入，下一餐起按新情况计算", "Recorded; the next meal is priced by it"), "done"
    )
    return redirect(url_for("bureau.elder", elder_id=elder_id) + "#facts", 303)


def whats() -> list[str]:
    """What may be recorded, as the form offers it: "category:low_income"."""
    return [f"{kind}:{value}" for kind in FACT_KINDS for value in FACT_VALUES[kind]]


@blueprint.post("/facts/<int:fact_id>/end")
def end_fact(fact_id: int) -> ResponseReturnValue:
    """Let a fact hold until a day, that day included."""
    by = actor()
    elder_id = db.session.get_one(ElderFact, fact_id).elder_id
    try:
        last_day = Fields(request.form).day("valid_to", until=LATEST) or clock.business_date()
        with transaction():
            enrolling.end_fact(fact_id, last_day, by)
    except CanteenError as refusal:
        if refusal.field == "valid_to":
            refusal.field = f"until-{fact_id}"  # as this form calls it
        return elder_page(by, elder_id, refusal, act="end", fact=fact_id)
    flash(t("已登记结束日期", "Its last day is entered"), "done")
    return redirect(url_for("bureau.elder", elder_id=elder_id) + "#facts", 303)


@blueprint.post("/facts/<int:fact_id>/withdrawal")
def withdraw_fact(fact_id: int) -> ResponseReturnValue:
    """Take back a fact that was never true, with a reason; the trail keeps what it said."""
    by = actor()
    elder_id = db.session.get_one(ElderFact, fact_id).elder_id
    try:
        with transaction():
            enrolling.withdraw_fact(fact_id, request.form.get("reason", ""), by)
    except CanteenError as refusal:
        point(refusal, f"withdraw-{fact_id}-{{}}")
        reason = request.form.get("reason", "")
        return elder_page(by, elder_id, refusal, act="withdraw", fact=fact_id, reason=reason)
    flash(t("已撤回", "Taken back"), "done")
    return redirect(url_for("bureau.elder", elder_id=elder_id) + "#facts", 303)


@blueprint.post("/elders/<int:elder_id>/cards")
def give_card(elder_id: int) -> ResponseReturnValue:
    """Give a card, or a new one in place of the old, which closes in the same act."""
    by = actor()
    try:
        with transaction():
            number = cards.replace(elder_id, by)
    except CanteenError as refusal:
        return elder_page(by, elder_id, refusal)
    flash(t("已发卡，尾号 {tail}", "Card issued, ending {tail}", tail=cards.tail(number)), "done")
    return redirect(url_for("bureau.elder", elder_id=elder_id) + "#cards", 303)


@blueprint.post("/elders/<int:elder_id>/cards/loss")
def lose_card(elder_id: int) -> ResponseReturnValue:
    """Close the card in use at once."""
    by = actor()
    number = cards.current_number(elder_id)
    if number is not None:
        with transaction():
            cards.report_lost(number, by)
        flash(t("卡已挂失，立即失效", "The card is closed at once"), "done")
    return redirect(url_for("bureau.elder", elder_id=elder_id) + "#cards", 303)
