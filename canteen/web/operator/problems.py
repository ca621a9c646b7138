"""What the checks found, for those it is found of: put it right, explain it, or give it up."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.checks import deciding
from canteen.checks import finding as found
from canteen.checks.models import UNDECIDED, Suspicion
from canteen.db import transaction
from canteen.errors import CanteenError, Refused
from canteen.money import yuan
from canteen.settlements import problems as reading
from canteen.settlements import withdrawing
from canteen.settlements.changing import last_rows
from canteen.settlements.warning import days_left
from canteen.territory.actors import Actor
from canteen.web.bureau import evidence
from canteen.web.bureau.door import asked, at, words
from canteen.web.errors import rendered, status_of
from canteen.web.filters import month
from canteen.web.forms import row_ids, whole
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.web.operator.door import blueprint
from canteen.web.operator.remedies import remedy
from canteen.words import Text


class NothingTicked(Refused):
    """No meal was ticked."""

    code = "nothing_ticked"
    text = Text("请勾选要撤回补贴的餐", "Tick the meals whose subsidy you give up")


def months(by: Actor) -> list[dict[str, Any]]:
    """The months with something undecided, or the month and canteen of the address, latest first:
    by canteen, with the day until which its operator can put it right by itself; none for what is
    with the offices."""
    told, today = [], clock.business_date()
    there = reading.periods_for(by, UNDECIDED)
    chosen, canteen_id = asked("period", there), whole(request.args.get("canteen", ""))
    for period in [chosen] if chosen else there:
        wanted = reading.Wanted(period=period, canteen_id=canteen_id)
        groups = reading.by_canteen(by, wanted, first=100)
        if canteen_id and not groups.rows:
            continue
        districts = {
            group.canteen_id: group.canteen.district_code for group in groups.rows if group.canteen
        }
        days = days_left(period, districts, today)
        told.append({
            "period": period, "groups": groups, "in_hand": days,
            "until": min(days.values(), default=None),
        })  # fmt: skip
    return told


def list_page(by: Actor, template: str = "operator/problems.html") -> str:
    """Every undecided finding at the reader's canteens, month by month."""
    told = months(by)
    listed = [group for one in told for group in one["groups"].rows]
    return render_template(
        template, told=told, elders=evidence.names(listed), today=clock.business_date(),
        said_of=evidence.sayings(listed), **(words() | evidence.words()),
    )  # fmt: skip


def problem_page(
    by: Actor, suspicion_id: int, refusal: CanteenError | None = None,
    template: str = "operator/problem.html",
) -> ResponseReturnValue:  # fmt: skip
    """One finding with its evidence and what can be done about it."""
    suspicion = found.get_for(by, suspicion_id)
    shown = evidence.finding(by, suspicion)
    withdrawable = _withdrawable(by, suspicion, shown["meals"])
    return rendered(
        template, **(words() | shown), refusal=refusal, given=request.form,
        ticked=row_ids(request.form.getlist("orders")), withdrawable=withdrawable,
        remedy=remedy(suspicion.code, withdrawable, by.role),
        until=_until(suspicion, shown["canteen"].district_code), me=by.role,
    )  # fmt: skip


def _until(suspicion: Suspicion, district: str) -> date | None:
    """The day to come until which its month can be put right; none when that has passed."""
    today = clock.business_date()
    day = days_left(suspicion.period, {suspicion.canteen_id: district}, today).get(
        suspicion.canteen_id
    )
    return day if day is not None and day >= today else None


def _withdrawable(by: Actor, suspicion: Suspicion, meals: list[reading.Behind]) -> bool:
    """Whether the reader may still give up the subsidy of some of these meals."""
    mine = [
        row for row in meals
        if row.canteen.id == suspicion.canteen_id and (row.stands or row.cause == "held")
    ]  # fmt: skip
    return by.role == "operator" and any(
        withdrawing.in_hand(period, suspicion.canteen_id) for period in {row.period for row in mine}
    )


def answer_page(by: Actor, suspicion_id: int, template: str) -> ResponseReturnValue:
    """Answer what the bureau asked; it decides."""
    try:
        with transaction():
            deciding.answer(
                suspicion_id, request.form.get("reason", ""), by=by, at=clock.now()
            )
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return problem_page(by, suspicion_id, refusal, template)
    flash(t("说明已送出，由区里决定", "Your answer was sent; the district decides"), "done")
    return redirect(at("problem", suspicion_id=suspicion_id), 303)


def note_page(by: Actor, suspicion_id: int, template: str) -> ResponseReturnValue:
    """Explain unasked what nobody decided yet; the desk reads it in the finding's story."""
    try:
        with transaction():
            deciding.note(suspicion_id, request.form.get("reason", ""), by=by, at=clock.now())
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return problem_page(by, suspicion_id, refusal, template)
    flash(t("说明已记下，审核的人会看到", "Your explanation is kept; the reviewer reads it"),
          "done")  # fmt: skip
    return redirect(at("problem", suspicion_id=suspicion_id), 303)


@blueprint.get("/problems")
def problems() -> ResponseReturnValue:
    """What is to be put right before the month goes to the offices."""
    return list_page(actor())


@blueprint.get("/problems/<int:suspicion_id>")
def problem(suspicion_id: int) -> ResponseReturnValue:
    """One of them."""
    return problem_page(actor(), suspicion_id)


@blueprint.post("/problems/<int:suspicion_id>/answers")
def answer_problem(suspicion_id: int) -> ResponseReturnValue:
    """Answer what the bureau asked."""
    return answer_page(actor(), suspicion_id, "operator/problem.html")


@blueprint.post("/problems/<int:suspicion_id>/notes")
def note_problem(suspicion_id: int) -> ResponseReturnValue:
    """Explain it before anybody asks."""
    return note_page(actor(), suspicion_id, "operator/problem.html")


@blueprint.post("/problems/<int:suspicion_id>/withdrawals")
def withdraw(suspicion_id: int) -> ResponseReturnValue:
    """Give up the subsidy of the ticked meals: all of them or none."""
    by, reason = actor(), request.form.get("reason", "")
    chosen = row_ids(request.form.getlist("orders"))
    try:
        if not chosen:
            raise NothingTicked(field="orders")
        with transaction():
            stake = _stake(chosen)
            for order_id in chosen:
                withdrawing.withdraw(
                    order_id, reason, by=by, at=clock.now(), suspicion_id=suspicion_id
                )
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return problem_page(by, suspicion_id, refusal)
    where = "、".join(sorted({month(period) for period, _ in stake}))
    flash(
        t("已撤回 {n} 餐的补贴，共 {sum} 元，不再计入{where}",
          "The subsidy of {n:meal|meals}, {sum} yuan, is given up and leaves {where}",
          n=len(chosen), sum=yuan(sum(fen for _, fen in stake)), where=where),
        "done",
    )  # fmt: skip
    return redirect(at("problem", suspicion_id=suspicion_id), 303)


def _stake(order_ids: list[int]) -> list[tuple[str, int]]:
    """What each meal's subsidy comes to, before it is given up."""
    names = ("till_fen", "account_fen", "enterprise_fen", "delivery_fen")
    return [
        (row["period"], abs(sum(row[name] for name in names))) for row in last_rows(order_ids)
    ]
