"""How a district reviews: its offices, their days, what silence does, the sample; with its past."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import transaction
from canteen.errors import CanteenError, NotFound, Refused
from canteen.money import parse_yuan
from canteen.settlements import rules, spans
from canteen.territory.actors import ROLES, Actor
from canteen.web.bureau.door import DECIDERS, asked, blueprint, districts
from canteen.web.errors import rendered
from canteen.web.forms import Fields, call
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text


def rules_page(
    by: Actor, district: str, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    """The rule in force, those before and to come, and the form for a new one."""
    today = clock.business_date()
    now = rules.rule_for(district, today)
    return rendered(
        "bureau/review_rules.html", district=district, districts=districts(by), now=now,
        past=rules.history(district), today=today, refusal=refusal, given=request.form,
        offices=rules.OFFICES, always=DECIDERS, silent=rules.SILENT, may=rules.MAY,
        tomorrow=today + timedelta(days=1), default=rules.DEFAULT, last_day=rules.LAST_DAY,
        limits=spans.LIMITS,
    )  # fmt: skip


# What the fields of the form are called in a complaint about them.
NAMES = {
    f"{name}_{office}": Text(f"{ROLES[office].zh}，{what.zh}", f"{ROLES[office].en}, {what.en}")
    for office in rules.OFFICES
    for name, what in (
        ("day", Text("次月几日前", "by day of next month")),
        ("remind", Text("提前几天提醒", "reminded days before")),
        ("silent", Text("逾期不办", "when nobody acts")),
    )
} | {
    "sample_bp": Text("抽查比例", "Share drawn"),
    "claim_days": Text("补领", "To claim a meal"),
    "late_days": Text("补记追溯", "Late facts look back"),
    "debt_days": Text("欠款提醒", "Until a debt is due"),
    "appeal_days": Text("申诉", "To object"),
}


@blueprint.get("/review-rules")
@guard(*DECIDERS)
def review_rules() -> ResponseReturnValue:
    """How a district reviews its statements."""
    by = actor()
    mine = districts(by)
    if not mine:
        raise NotFound()
    return rules_page(by, asked("district", mine) or mine[0])


@blueprint.post("/review-rules")
@guard(*DECIDERS)
def set_review_rule() -> ResponseReturnValue:
    """Set a district's rule from a day on; statements prepared before keep theirs."""
    by, fields, today = actor(), Fields(request.form), clock.business_date()
    district = str(fields.choice("district", districts(by)))
    try:
        stages = [
            rules.Stage(
                office, fields.whole(f"day_{office}", least=1, most=31),
                str(fields.choice(f"silent_{office}", rules.SILENT))
                if len(rules.MAY[office]) > 1 else "remind",
                fields.whole(f"remind_{office}", most=31),
            )
            for office in rules.OFFICES
            if office in DECIDERS or request.form.get(f"has_{office}")
        ]  # fmt: skip
        days = spans.Days(**{
            name: fields.whole(f"{name}_days", least=least, most=most)
            for name, (least, most) in spans.LIMITS.items()
        })  # fmt: skip
        with transaction():
            rules.set_rule(
                district, stages, fields.day("from_on") or today,
                sample_bp=_percent("sample_bp"),
                sample_least=fields.whole("sample_least", most=1_000),
                extrapolate=bool(request.form.get("extrapolate")), by=by, today=today,
                at=clock.now(), days=days,
            )  # fmt: skip
    except CanteenError as refusal:
        call(refusal, NAMES)
        return rules_page(by, district, refusal)
    flash(t("新的审核规则已登记", "The new rule is entered"), "done")
    return redirect(url_for("bureau.review_rules", district=district), 303)


def _percent(name: str) -> int:
    """A share typed as 5 or 2.5 (per cent), in basis points."""
    try:
        return parse_yuan(request.form.get(name, ""), field=name)
    except Refused:
        raise rules.BadRule(
            Text("请填写百分比，如 5 或 2.5", "Enter a percentage like 5 or 2.5"), field=name
        ) from None
