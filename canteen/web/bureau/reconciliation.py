"""Reconciliation: payouts, messages, the provider's events and the books agree, or are listed."""

from __future__ import annotations

import re
from datetime import date, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock, delivering
from canteen.budgets import reconciling as true_ups
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.payouts import explaining
from canteen.payouts.mismatches import EXPLAINABLE, PROBLEMS, Reconciled
from canteen.payouts.reconciling import MOST, reconcile
from canteen.territory.actors import Actor
from canteen.web.bureau.door import DECIDERS, asked, blueprint
from canteen.web.forms import a_day
from canteen.web.guards import actor, guard
from canteen.web.language import said, t
from canteen.words import Text

MOST_DAYS = 400


def side_by_side(by: Actor, first: date, last: date, limit: int = MOST) -> Reconciled:
    """A range of days as an office may see it: all of it, or what is of its own statements."""
    district = by.territory if by.role == "district" else None
    found = reconcile(first, last, at=clock.now(), limit=limit, district=district)
    return found.along_with(true_ups.unmatched(first, last, district))


def still_open(by: Actor, today: date, days: int = MOST_DAYS) -> tuple[date, int]:
    """How many things of the last days do not agree still, and since when it was looked."""
    first = today - timedelta(days=days)
    return first, side_by_side(by, first, today, limit=0).open


@blueprint.get("/reconciliation")
@guard(*DECIDERS)
def reconciliation() -> ResponseReturnValue:
    """A month, or a range of days, laid side by side; and what is open from before."""
    by = actor()
    first, last, month = _range()
    found = side_by_side(by, first, last)
    today = clock.business_date()
    since = today - timedelta(days=MOST_DAYS)
    whole = first <= since and last >= today
    still = 0 if whole else still_open(by, today)[1]  # the range shown tells all of it
    return render_template(
        "bureau/reconciliation.html", found=found, problems=PROBLEMS, month=month, first=first,
        last=last, one_day=timedelta(days=1), since=since, still=still, me=by,
        not_shown=_not_shown(),
        today=today, explainable=EXPLAINABLE if by.role == "city" else (),
        explained=explaining.explained() if by.role == "city" else [],
    )


@blueprint.post("/reconciliation/explanations")
@guard("city")
def explain_mismatch() -> ResponseReturnValue:
    """Keep why something of another's books matches nothing of ours; it is open no longer."""
    by, form, today = actor(), request.form, clock.business_date()
    listed = side_by_side(by, today - timedelta(days=MOST_DAYS), today, limit=5_000).mismatches
    db.session.rollback()  # reading is over
    try:
        with transaction():
            explaining.explain(
                form.get("problem", ""), form.get("reference", ""), form.get("reason", ""), by,
                listed, at=clock.now(),
            )
    except CanteenError as refusal:
        flash(said(refusal.text), "look")
    else:
        flash(t("已说明，不再列为未了", "Explained; it is open no longer"), "done")
    return redirect(url_for("bureau.reconciliation", **_asked()), 303)


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
    return redirect(url_for("bureau.reconciliation", **_asked()), 303)


def _asked() -> dict[str, str]:
    """The range the page was showing, as it sent it along."""
    form = request.form
    return {name: form[name] for name in ("month", "first", "last") if form.get(name)}


def _range() -> tuple[date, date, str]:
    """The days asked for: a range, a month, or this month so far."""
    today = clock.business_date()
    first, last = (a_day(request.args.get(name, "")) for name in ("first", "last"))
    if first and last and first <= last and (last - first).days <= MOST_DAYS:
        return first, last, ""
    month = asked("month") or ""
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month, re.ASCII):
        month = clock.period_of(today)
    return *clock.period_days(month), month


def _not_shown() -> Text | None:
    """Why a range that was asked for is not what is shown."""
    first, last = (a_day(request.args.get(name, "")) for name in ("first", "last"))
    if not first or not last:
        return None
    if last < first:
        return Text("最后一天早于第一天", "The last day is before the first")
    if (last - first).days > MOST_DAYS:
        return Text("一次最多看 {n} 天", "At most {n} days at a time").format(n=MOST_DAYS)
    return None
