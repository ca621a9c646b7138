"""The budget guard: each purse's year, what is left, and the day the money is gone."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.budgets import funding, guarding
from canteen.errors import CanteenError
from canteen.web.bureau.door import DECIDERS, blueprint, placed, places
from canteen.web.errors import rendered, status_of
from canteen.web.forms import Fields, whole
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.web.once import do_once


def asked_year(last: int) -> int:
    """The year the address asks for, up to two ahead; the running one if it is no such year."""
    given = request.args.get("year", "")
    known = given.isascii() and given.isdigit() and len(given) == 4
    return int(given) if known and funding.FIRST_YEAR <= int(given) <= last + 2 else last


def budgets_page(refusal: CanteenError | None = None) -> ResponseReturnValue:
    """Every purse of this ground in one year, with the form to set money aside."""
    by, today = actor(), clock.business_date()
    year = asked_year(today.year)
    purses = guarding.purses(by, year, on=today)
    mine = [(code, placed(code)) for code in places() if by.reaches(code)]
    return rendered(
        "bureau/budgets.html", purses=purses, year=year, today=today, refusal=refusal,
        given=request.form, mine=mine, placed=placed, pace_days=guarding.PACE_DAYS,
        seen=funding.latest(),
        history={one.code: funding.history(one.code, year) for one in purses},
        years=[(str(one), str(one)) for one in range(today.year + 2, funding.FIRST_YEAR - 1, -1)],
    )


@blueprint.get("/budgets")
@guard(*DECIDERS)
def budgets() -> ResponseReturnValue:
    """The purses of this ground."""
    return budgets_page()


@blueprint.post("/budgets")
@guard(*DECIDERS)
def set_budget() -> ResponseReturnValue:
    """Add a sum to a purse's money of a year, or cut it."""
    fields, by = Fields(request.form), actor()
    try:
        code = str(fields.choice("purse", [one for one in places() if by.reaches(one)]))
        year = fields.whole("year", least=funding.FIRST_YEAR, most=2100)
        sign = -1 if fields.choice("kind", ("more", "less")) == "less" else 1
        amount_fen, note = sign * fields.yuan("amount"), fields.text("note", required=False)
        seen = whole(request.form.get("seen", ""))

        def act() -> int:
            return funding.set_aside(
                code, year, amount_fen, note, by, clock.now(), seen=seen
            ).id

        wish = {"purse": code, "year": year, "amount_fen": amount_fen, "note": note}
        do_once(act, wish, by, required=False)
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return budgets_page(refusal)
    flash(t("预算已登记", "The budget is noted"), "done")
    return redirect(url_for("bureau.budgets", year=year), 303)
