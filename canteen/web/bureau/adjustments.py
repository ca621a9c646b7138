"""What was put right after the fact, what payees owe, and both ways out: instalments, repayment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.adjustments import finding, receivables, spreading
from canteen.db import transaction
from canteen.elders.models import ElderFact
from canteen.errors import CanteenError
from canteen.money import yuan
from canteen.payouts import repaying
from canteen.settlements.finding import periods_for
from canteen.subsidies.models import cause_words
from canteen.web.bureau.door import DECIDERS, asked, asked_page, blueprint, canteen_names
from canteen.web.bureau.elders import FACT_KINDS, FACT_VALUES
from canteen.web.errors import rendered, status_of
from canteen.web.filters import month
from canteen.web.forms import Fields, point, whole
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.web.once import do_once
from canteen.words import Text, day


def fact_words(fact: ElderFact) -> Text:
    """A fact as people say it: what, and from which day on."""
    value = FACT_VALUES.get(fact.kind, {}).get(fact.value, FACT_KINDS[fact.kind])
    since = day(fact.valid_from, year=True)
    return Text(f"{value.zh}(自{since.zh})", f"{value.en} (from {since.en})")


def adjustments_page(
    refusal: CanteenError | None = None, which: int = 0
) -> ResponseReturnValue:
    """Every later change of a subsidy on this ground, and what the open month takes back."""
    by, today = actor(), clock.business_date()
    opening = spreading.opening(today)
    periods = list(dict.fromkeys([clock.period_of(today), opening, *periods_for(by)]))
    cause, period = asked("cause", finding.LATER), asked("period", periods)
    page = finding.changes(by, on=today, cause=cause, period=period, page=asked_page())
    return rendered(
        "bureau/adjustments.html", page=page, cause=cause, period=period, causes=finding.LATER,
        cause_words=cause_words,
        months=[(one, month(one)) for one in periods], opening=opening,
        taken=finding.taken_back_now(by, today), refusal=refusal, given=request.form,
        which=which, may_spread=by.role in DECIDERS, fact_words=fact_words,
        most=spreading.MOST_MONTHS,
    )


@blueprint.get("/adjustments")
def adjustments() -> ResponseReturnValue:
    """What was changed after the meals, and why."""
    return adjustments_page()


@blueprint.post("/canteens/<int:canteen_id>/instalments")
@guard(*DECIDERS)
def spread(canteen_id: int) -> ResponseReturnValue:
    """Take back in instalments what the open month takes back of a canteen at once."""
    by, fields = actor(), Fields(request.form)
    try:
        months = fields.whole("months", least=2, most=spreading.MOST_MONTHS)
        reason = fields.text("reason", most=400)
        seen = whole(request.form.get("seen_fen", ""))

        def act() -> list[list[Any]]:
            parts = spreading.spread(
                canteen_id, months, reason, by, on=clock.business_date(), at=clock.now(),
                expected_fen=seen,
            )
            return [list(part) for part in parts]

        wish = {"months": months, "reason": reason, "seen_fen": seen}
        plan = do_once(act, wish, by, required=False).body
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        point(refusal, f"{{}}-{canteen_id}")
        return adjustments_page(refusal, canteen_id)
    flash(t("已分 {n} 期扣回，每期约 {sum} 元",
            "Spread over {n:month|months}, about {sum} yuan each",
            n=len(plan), sum=yuan(plan[0][1])), "done")  # fmt: skip
    return redirect(url_for("bureau.adjustments"), 303)


def receivables_page(refusal: CanteenError | None = None) -> ResponseReturnValue:
    """Every statement below nothing and what became of it."""
    by, today = actor(), clock.business_date()
    state = asked("state", receivables.STATES)
    everything = receivables.list_for(by, on=today)
    shown = [one for one in everything if state is None or one.state == state]
    return rendered(
        "bureau/receivables.html", rows=shown, state=state, states=receivables.STATES,
        still_open=[one for one in everything if one.state in receivables.OPEN],
        late=[one for one in everything if one.late],
        refusal=refusal, given=request.form, today=today, may_note=by.role in DECIDERS,
        me=by.label,
        names=canteen_names(one.statement.canteen_id for one in shown),
        counts={code: sum(one.state == code for one in everything) for code in receivables.STATES},
    )


@blueprint.get("/receivables", endpoint="receivables")
def list_receivables() -> ResponseReturnValue:
    """What payees owe on this ground."""
    return receivables_page()


@blueprint.post("/statements/<int:statement_id>/repayment")
@guard(*DECIDERS)
def note_repayment(statement_id: int) -> ResponseReturnValue:
    """Note that a payee paid back what a statement is below nothing."""
    fields = Fields(request.form)
    try:
        amount_fen, received_on = fields.yuan("amount"), fields.day("received_on")
        reference = fields.text("reference", most=60)
        with transaction():
            repaying.note(
                statement_id, amount_fen, received_on or clock.business_date(), reference,
                actor(), on=clock.business_date(), at=clock.now(),
            )
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return receivables_page(refusal)
    flash(t("已登记，由另一位同事对照银行流水复核后冲账",
            "Noted; it counts once a colleague has checked it against the bank"), "done")
    return redirect(url_for("bureau.receivables"), 303)


@blueprint.post("/statements/<int:statement_id>/repayment/confirmation")
@guard(*DECIDERS)
def confirm_repayment(statement_id: int) -> ResponseReturnValue:
    """Confirm, as a second person, that a noted repayment came."""
    on, at = clock.business_date(), clock.now()
    return _of_repayment(
        lambda: repaying.confirm(statement_id, actor(), on=on, at=at),
        t("已复核到账，账已冲平", "Confirmed; the books are even"),
    )


@blueprint.post("/statements/<int:statement_id>/repayment/withdrawal")
@guard(*DECIDERS)
def drop_repayment(statement_id: int) -> ResponseReturnValue:
    """Take a noted repayment back, saying why."""
    reason = request.form.get("reason", "")
    return _of_repayment(
        lambda: repaying.take_back(statement_id, reason, actor()),
        t("已撤回登记，欠款照旧", "The note is taken back; the debt stays"),
    )


def _of_repayment(act: Callable[[], object], said: str) -> ResponseReturnValue:
    try:
        with transaction():
            act()
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return receivables_page(refusal)
    flash(said, "done")
    return redirect(url_for("bureau.receivables"), 303)
