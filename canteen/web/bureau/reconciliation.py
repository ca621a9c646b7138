"""Reconciliation at the city: payouts, messages, notices and books agree, or are listed."""

from __future__ import annotations

import re
from datetime import date, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock, delivering
from canteen.payouts.mismatches import PROBLEMS
from canteen.payouts.reconciling import reconcile
from canteen.web.bureau.door import asked, blueprint
from canteen.web.guards import guard
from canteen.web.language import t

MOST_DAYS = 400


@blueprint.get("/reconciliation")
@guard("city")
def reconciliation() -> ResponseReturnValue:
    """A month, or a range of days, laid side by side."""
    first, last, month = _range()
    found = reconcile(first, last, at=clock.now())
    return render_template(
        "bureau/reconciliation.html", found=found, problems=PROBLEMS, month=month, first=first,
        last=last, one_day=timedelta(days=1),
    )


@blueprint.post("/reconciliation/questions")
@guard("city")
def ask_provider() -> ResponseReturnValue:
    """Ask the provider now about every transfer it has told us nothing of."""
    counts = delivering.ask_about_payouts(clock.now())
    if counts["down"]:
        flash(t("平台现在没有回答，请稍后再问", "The provider does not answer; try later"), "look")
    else:
        flash(
            t("问了 {asked} 笔：{confirmed} 笔确认，{changed} 笔有新结果，{unknown} 笔平台不知道",
              "Asked about {asked}: {confirmed} confirmed, {changed} with news, {unknown} unknown"
              " to it", **counts),
            "done",
        )  # fmt: skip
    form = request.form
    wanted = {name: form[name] for name in ("month", "first", "last") if form.get(name)}
    return redirect(url_for("bureau.reconciliation", **wanted), 303)


def _range() -> tuple[date, date, str]:
    """The days asked for: a range, a month, or this month so far."""
    today = clock.business_date()
    first, last = _day("first"), _day("last")
    if first and last and first <= last and (last - first).days <= MOST_DAYS:
        return first, last, ""
    month = asked("month") or ""
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month, re.ASCII):
        month = clock.period_of(today)
    return *clock.period_days(month), month


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
