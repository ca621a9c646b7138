"""Findings of the checks at the bureau: listed by canteen, looked into, decided with a reason."""

from __future__ import annotations

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.checks import catalogue, deciding
from canteen.checks import finding as found
from canteen.checks.models import MODES, STATES, UNDECIDED
from canteen.checks.precision import precision
from canteen.db import db, transaction
from canteen.errors import CanteenError, Refused
from canteen.money import yuan
from canteen.settlements import holding, problems
from canteen.settlements.changing import Changed
from canteen.territory.actors import Actor
from canteen.web.bureau import evidence
from canteen.web.bureau.door import DECIDERS, asked, asked_page, blueprint, districts, grounds
from canteen.web.errors import rendered, status_of
from canteen.web.filters import month
from canteen.web.forms import point, row_ids, whole
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text

# What the list is asked for: "todo" is what nobody decided.
SHOWN = {
    "todo": (Text("待处理", "To decide"), UNDECIDED),
    "open": (STATES["open"], ("open",)), "asked": (STATES["asked"], ("asked",)),
    "explained": (Text("食堂已说明", "The canteen explained"), UNDECIDED),
    **{state: (STATES[state], (state,)) for state in ("paid", "denied", "cleared")},
    "all": (Text("全部", "All"), tuple(STATES)),
}
MOST_AT_ONCE = 200
MOST_NAMED = 5


class FalseAlarmPays(Refused):
    """A false alarm is a finding whose meal is paid."""

    code = "false_alarm_pays"
    text = Text(
        "“误报”只能和“核准支付”一起选", "A false alarm goes with paying only"
    )


class DeniedMealByMeal(Refused):
    """A finding about no single meal is denied on its own page, where its meals can be ticked."""

    code = "denied_meal_by_meal"
    text = Text(
        "有 {n} 条不是针对单独一餐的，要逐条打开、勾选不付的餐：{which}。本次一条也没有处理",
        "{n:finding is|findings are} about no single meal and must be opened to tick the meals that"
        " are not paid: {which}. Nothing was decided",
    )


class NotAlike(Refused):
    """Several are decided together only when one check found them all."""

    code = "findings_not_alike"
    text = Text(
        "请选择同一项检查发现的疑点（最多 {most} 条）一起处理",
        "Choose findings of one check (at most {most}) to decide together",
    )


def wanted() -> tuple[problems.Wanted, str]:
    """What the address asks for, and the name of the states shown."""
    by = actor()
    state = asked("state", SHOWN) or "todo"
    periods = problems.periods_for(by)
    period = asked("period", (*periods, "all"))
    if period is None and not set(SHOWN[state][1]) <= set(UNDECIDED):
        # Work is shown of every month, as it is counted; what is behind us by its latest month.
        period = next(iter(problems.periods_for(by, SHOWN[state][1])), None)
    return problems.Wanted(
        period=None if period == "all" else period, code=asked("check", catalogue.BY_CODE),
        mode=asked("mode", MODES), territory=asked("territory", dict(grounds(by))),
        canteen_id=whole(request.args.get("canteen", "")), states=SHOWN[state][1],
        explained=state == "explained",
    ), state  # fmt: skip


def list_page(by: Actor, refusal: CanteenError | None = None) -> ResponseReturnValue:
    """The list as the address asks for it; after a refusal with what was ticked and typed."""
    narrowed, state = wanted()
    one = narrowed.canteen_id is not None
    groups = problems.by_canteen(
        by, narrowed, page=asked_page(), first=MOST_AT_ONCE if one or narrowed.code else 8
    )
    return rendered(
        "bureau/findings.html", groups=groups, wanted=narrowed, state=state, shown=SHOWN,
        months=[("all", t("所有月份", "All months"))]
        + [(period, month(period)) for period in problems.periods_for(by)],
        modes={code: MODES[code] for code in ("hold", "warn")},
        offered=_checks(problems.codes_for(by, narrowed), narrowed.code),
        grounds=grounds(by), decides=by.role in DECIDERS, refusal=refusal,
        together=_verdicts(narrowed.code),
        ticked=row_ids(request.form.getlist("finding_ids")), elders=evidence.names(groups.rows),
        said_of=evidence.sayings(groups.rows), given=request.form, **evidence.words(),
    )  # fmt: skip


def _verdicts(code: str | None) -> list[tuple[str, Text]]:
    """What several findings of a check can be decided to be together: a pattern is denied meal by
    meal on its own page, and what is for the desk alone is asked of nobody."""
    offered = [("pay", Text("核准支付", "Pay"))]
    if code and catalogue.check(code).about == "order":
        offered.append(("deny", Text("不予支付", "Deny")))
    if code not in catalogue.DESK_ONLY:
        offered.append(("ask", Text("请食堂说明", "Ask the canteen")))
    return offered


def _checks(counts: dict[str, int], chosen: str | None) -> list[tuple[str, Text]]:
    """The checks to narrow the list to: those that found something, and the chosen one."""
    return [
        (check.code, Text("{what}（{n}）", "{what} ({n})").format(
            what=check.title, n=counts.get(check.code, 0)
        ))
        for check in catalogue.CHECKS if check.code in counts or check.code == chosen
    ]  # fmt: skip


def finding_page(
    by: Actor, suspicion_id: int, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    """One finding with its evidence and its story; after a refusal with what was typed."""
    suspicion = found.get_for(by, suspicion_id)
    return rendered(
        "bureau/finding.html", **evidence.finding(by, suspicion), refusal=refusal,
        given=request.form, ticked=row_ids(request.form.getlist("orders")),
        decides=by.role in DECIDERS,
        district=db.session.get_one(Canteen, suspicion.canteen_id).district_code,
        desk_only=suspicion.code in catalogue.DESK_ONLY,
    )  # fmt: skip


@blueprint.get("/findings")
def findings() -> ResponseReturnValue:
    """What the checks found on this ground, by canteen."""
    return list_page(actor())


@blueprint.get("/findings/<int:suspicion_id>")
def finding(suspicion_id: int) -> ResponseReturnValue:
    """One finding: what, where, its meals and facts, what became of it."""
    return finding_page(actor(), suspicion_id)


@blueprint.post("/findings/<int:suspicion_id>/decisions")
@guard(*DECIDERS)
def decide_finding(suspicion_id: int) -> ResponseReturnValue:
    """Pay, deny or ask; the money follows in the same act."""
    by, form = actor(), request.form
    try:
        with transaction():
            done = holding.decide(
                suspicion_id, form.get("verdict", ""), form.get("reason", ""), by=by,
                at=clock.now(), false_alarm=_must_make_sense(form.get("verdict", "")),
                orders=row_ids(request.form.getlist("orders")),
            )  # fmt: skip
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return finding_page(by, suspicion_id, refusal)
    flash(outcome(form.get("verdict", ""), 1, done), "done")
    return redirect(url_for("bureau.finding", suspicion_id=suspicion_id), 303)


@blueprint.post("/findings/<int:suspicion_id>/reopenings")
@guard(*DECIDERS)
def reopen_finding(suspicion_id: int) -> ResponseReturnValue:
    """Take a decision up again; the money stays until it is decided anew."""
    by = actor()
    try:
        with transaction():
            deciding.reopen(suspicion_id, request.form.get("reason", ""), by=by, at=clock.now())
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        point(refusal, "reopen-{}")
        return finding_page(by, suspicion_id, refusal)
    flash(t("已重新审议，原来的决定仍留在记录里", "Taken up again; the earlier decision stays on"
            " record"), "done")  # fmt: skip
    return redirect(url_for("bureau.finding", suspicion_id=suspicion_id), 303)


@blueprint.post("/findings/decisions")
@guard(*DECIDERS)
def decide_findings() -> ResponseReturnValue:
    """Decide several findings of one check for one reason: all of them or none."""
    by, form, chosen = actor(), request.form, row_ids(request.form.getlist("finding_ids"))
    verdict, parts = form.get("verdict", ""), []
    try:
        with transaction():
            _must_be_alike(by, chosen)
            if verdict == "deny":
                _must_name_meals(by, chosen)
            holding.take_in_hand(chosen)
            for suspicion_id in chosen:
                parts.append(holding.decide(
                    suspicion_id, verdict, form.get("reason", ""), by=by, at=clock.now(),
                    false_alarm=_must_make_sense(verdict),
                ))  # fmt: skip
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return list_page(by, refusal)
    flash(outcome(verdict, len(chosen), holding.together(parts)), "done")
    return redirect(url_for("bureau.findings", **request.args.to_dict()), 303)


def _must_be_alike(by: Actor, chosen: list[int]) -> None:
    if not 1 <= len(chosen) <= MOST_AT_ONCE:
        raise NotAlike(most=MOST_AT_ONCE, field="finding_ids")
    codes = {found.get_for(by, suspicion_id).code for suspicion_id in chosen}
    if len(codes) != 1:
        raise NotAlike(most=MOST_AT_ONCE, field="finding_ids")


def _must_name_meals(by: Actor, chosen: list[int]) -> None:
    """Refuse with DeniedMealByMeal to deny together what must be denied meal by meal."""
    left = [one for one in (found.get_for(by, id_) for id_ in chosen) if one.order_id is None]
    if left:
        canteens = {one.id: one for one in db.session.scalars(
            sa.select(Canteen).where(Canteen.id.in_({row.canteen_id for row in left}))
        )}  # fmt: skip
        told = [canteens[row.canteen_id] for row in left[:MOST_NAMED]]
        more = "…" if len(left) > MOST_NAMED else ""
        which = Text(
            "、".join(dict.fromkeys(one.name for one in told)) + more,
            ", ".join(dict.fromkeys(one.name_en or one.name for one in told)) + more,
        )
        raise DeniedMealByMeal(n=len(left), which=which, field="finding_ids")


def _must_make_sense(verdict: str) -> bool:
    """Whether it is marked a false alarm; refuses FalseAlarmPays for one that is not paid."""
    alarm = "false_alarm" in request.form
    if alarm and verdict != "pay":
        raise FalseAlarmPays(field="false_alarm")
    return alarm


def outcome(verdict: str, count: int, done: Changed) -> str:
    """What a decision did to the money, in a sentence."""
    if verdict == "ask":
        return t("已请食堂说明，答复后会回到待办", "The canteen was asked; it answers here")
    decided = t("已核准支付", "To be paid") if verdict == "pay" else t("不予支付", "Denied")
    if count > 1:
        decided = t("{n} 条{what}", "{n:finding|findings}: {what}", n=count, what=decided)
    return f"{decided}{t('。', '. ')}{money_words(done)}"


def money_words(done: Changed) -> str:
    """Where the money of a decision went: into a statement under review, or a month to come."""
    where = "、".join(month(period) for period in sorted(done.periods)) or ""
    if not done.meals:
        return t("金额没有变化", "No sum changes")
    into = (
        t("{month}的结算单", "the statement of {month}", month=where) if done.statements
        else t("{month}（尚未结账）", "{month}, which is still open", month=where)
    )  # fmt: skip
    if done.fen > 0:
        return t("{sum} 元计入{into}", "{sum} yuan released into {into}",
                 sum=yuan(done.fen), into=into)  # fmt: skip
    if done.fen < 0:
        return t("{sum} 元从{into}中减去", "{sum} yuan taken out of {into}",
                 sum=yuan(-done.fen), into=into)  # fmt: skip
    return t("{n} 餐原已暂扣，不再计入{into}",
             "{n:meal held so far stays|meals held so far stay} out of {into}",
             n=done.meals, into=into)  # fmt: skip


@blueprint.get("/findings/precision")
@guard(*DECIDERS)
def check_precision() -> ResponseReturnValue:
    """How often each check was right, in each district of the ground."""
    by = actor()
    mine = districts(by)
    by_district = {code: precision(code) for code in mine}
    whole = precision() if by.role == "city" else by_district.get(str(by.territory), {})
    rows = [(check, whole[check.code]) for check in catalogue.CHECKS if check.code in whole]
    return render_template(
        "bureau/precision.html", rows=rows, by_district=by_district if len(mine) > 1 else {},
    )  # fmt: skip

