"""The yearly true-up of city and district: drafted, confirmed by another, paid, with its papers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.budgets import targets, truing_up
from canteen.budgets.models import TrueUp
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.papers.tables import Column, Table
from canteen.settlements.finding import SIDES
from canteen.web.bureau import exports, trail
from canteen.web.bureau.budgets import asked_year
from canteen.web.bureau.door import DECIDERS, asked, blueprint, districts, place
from canteen.web.errors import rendered
from canteen.web.filters import count
from canteen.web.forms import BadField, Fields, call
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text, month

NO_TARGET = Text("请至少填写一项“新目标”", "Enter at least one “new target”")
SIDE_WORDS = {**SIDES, "deduction": Text("抽查扣减", "Deducted after a sample")}


def true_ups_page(refusal: CanteenError | None = None) -> ResponseReturnValue:
    """The true-ups of this ground, the form for a new one, and a district's targets."""
    by, today = actor(), clock.business_date()
    year, mine = asked_year(today.year), districts(by)
    district = asked("district", mine) or (mine[0] if mine else "")
    return rendered(
        "bureau/true_ups.html", rows=truing_up.list_for(by), year=year, district=district,
        mine=[(code, place(code)) for code in mine], kinds=truing_up.KINDS,
        states=truing_up.STATES, table=targets.table(year, district) if district else [],
        refusal=refusal, given=request.form, may_prepare=by.role == "city", today=today,
    )


def true_up_page(true_up_id: int, refusal: CanteenError | None = None) -> ResponseReturnValue:
    """One true-up: its list of sums, its table of targets, what may be done."""
    by, found = actor(), db.session.get_one(TrueUp, true_up_id)
    return rendered(
        "bureau/true_up.html", one=found, months=by_month(found), sides=used_sides(found),
        side_words=SIDE_WORDS, table=aims(found), kinds=truing_up.KINDS,
        states=truing_up.STATES, refusal=refusal, may_act=by.role == "city",
        own=found.prepared_by == by.label, trail=trail.of("true_up", true_up_id),
        given=request.form, today=clock.business_date(),
    )


def used_sides(found: TrueUp) -> list[str]:
    """The sides that occur, in the order they are always named."""
    there = {row["side"] for row in found.sums}
    return [side for side in SIDE_WORDS if side in there]


def by_month(found: TrueUp) -> list[dict[str, Any]]:
    """The list of sums with a row for each month."""
    rows: dict[str, dict[str, Any]] = {}
    for row in found.sums:
        line = rows.setdefault(row["period"], {"period": row["period"], "meals": 0, "total": 0})
        line[row["side"]] = row["amount_fen"]
        line["total"] += row["amount_fen"]
        if row["side"] == "enterprise":
            line["meals"] = row["meals"]
    return list(rows.values())


def aims(found: TrueUp) -> list[targets.Target]:
    """The performance-target table as it was kept."""
    return [
        targets.Target(row["code"], targets.MEASURES[row["code"]][0], row["unit"],
                       row["planned"], row["actual"])
        for row in found.targets if row["code"] in targets.MEASURES
    ]  # fmt: skip


@blueprint.get("/true-ups")
@guard(*DECIDERS)
def true_ups() -> ResponseReturnValue:
    """The true-ups of this ground."""
    return true_ups_page()


@blueprint.post("/true-ups")
@guard("city")
def prepare_true_up() -> ResponseReturnValue:
    """Draft a true-up, or draft it anew."""
    fields = Fields(request.form)
    try:
        kind = str(fields.choice("kind", truing_up.KINDS))
        district = str(fields.choice("district", districts(actor())))
        year = fields.whole("year", least=2019, most=2100)
        part = request.form.get("percent", "").strip()
        percent_bp = fields.whole("percent", least=1, most=100) * 100 if part else None
        with transaction():
            made = truing_up.prepare(
                year, district, kind, actor(), on=clock.business_date(), at=clock.now(),
                percent_bp=percent_bp if kind == "preliminary" else None,
                note=fields.text("note", most=400, required=False),
            )
            true_up_id = made.id
    except CanteenError as refusal:
        return true_ups_page(refusal)
    flash(t("已编制，请另一位同事复核", "Drafted; a colleague must confirm it"), "done")
    return redirect(url_for("bureau.true_up", true_up_id=true_up_id), 303)


@blueprint.get("/true-ups/<int:true_up_id>")
@guard(*DECIDERS)
def true_up(true_up_id: int) -> ResponseReturnValue:
    """One true-up."""
    return true_up_page(true_up_id)


@blueprint.post("/true-ups/<int:true_up_id>/confirmation")
@guard("city")
def confirm_true_up(true_up_id: int) -> ResponseReturnValue:
    """Confirm a draft that somebody else made."""
    try:
        with transaction():
            truing_up.confirm(true_up_id, actor(), at=clock.now())
    except CanteenError as refusal:
        return true_up_page(true_up_id, refusal)
    flash(t("已复核，可以拨付", "Confirmed; it can be paid"), "done")
    return redirect(url_for("bureau.true_up", true_up_id=true_up_id), 303)


@blueprint.post("/true-ups/<int:true_up_id>/payment")
@guard("city")
def pay_true_up(true_up_id: int) -> ResponseReturnValue:
    """Note that the money moved: when, and under which reference of the bank."""
    fields = Fields(request.form)
    try:
        paid_on = fields.day("paid_on") or clock.business_date()
        with transaction():
            truing_up.pay(
                true_up_id, fields.text("reference", most=60, required=False), paid_on, actor(),
                on=clock.business_date(), at=clock.now(),
            )
    except CanteenError as refusal:
        return true_up_page(true_up_id, refusal)
    flash(t("已登记拨付，账已冲平", "Noted as paid; the books are cleared"), "done")
    return redirect(url_for("bureau.true_up", true_up_id=true_up_id), 303)


@blueprint.post("/targets")
@guard(*DECIDERS)
def set_targets() -> ResponseReturnValue:
    """Set what a district aims at in a year; empty boxes stay as they are."""
    fields, by = Fields(request.form), actor()
    try:
        district = str(fields.choice("district", districts(actor())))
        year = fields.whole("year", least=2019, most=2100)
        wanted = {}
        for code, (_, unit) in targets.MEASURES.items():
            if request.form.get(code, "").strip():
                most = 100 if unit == "bp" else 1_000_000_000
                wanted[code] = fields.whole(code, most=most) * (100 if unit == "bp" else 1)
        if not wanted:
            raise BadField(NO_TARGET, field=next(iter(targets.MEASURES)))
        with transaction():
            for code, target in wanted.items():
                targets.aim(year, district, code, target, by, clock.now())
    except CanteenError as refusal:
        call(refusal, {code: title for code, (title, _) in targets.MEASURES.items()})
        return true_ups_page(refusal)
    flash(t("绩效目标已登记", "The targets are noted"), "done")
    return redirect(url_for("bureau.true_ups", year=year, district=district), 303)


@blueprint.post("/true-ups/<int:true_up_id>.<any(xlsx, csv):kind>")
@guard(*DECIDERS)
def true_up_file(true_up_id: int, kind: str) -> ResponseReturnValue:
    """The list of sums and the performance-target table; as CSV the sums."""
    found = db.session.get_one(TrueUp, true_up_id)
    name = Text("{year}年{kind}_{place}", "true_up_{year}_{kind}_{place}").format(
        year=found.year, kind=truing_up.KINDS[found.kind], place=place(found.district_code)
    )
    return exports.taken_out(
        actor(), kind, name, ("true_up", found.id),
        exports.tables(kind, lambda: [targets_table(found), sums_table(found)]),
        amount_fen=found.balance_fen,
    )


def sums_table(found: TrueUp) -> Table:
    """The list of sums (资金清单) by month and side."""
    sides = used_sides(found)
    columns = (
        Column(Text("月份", "Month")), Column(Text("餐次", "Meals"), "int", summed=True),
        *(Column(SIDE_WORDS[side], "fen", summed=True) for side in sides),
        Column(Text("市级合计", "City's share"), "fen", summed=True),
    )

    def rows() -> Iterator[list[Any]]:
        for line in by_month(found):
            yield [month(line["period"]), line["meals"],
                   *(line.get(side, 0) for side in sides), line["total"]]  # fmt: skip

    return Table(Text("资金清单", "List of sums"), columns, rows())


def targets_table(found: TrueUp) -> Table:
    """The performance-target table (绩效目标表)."""
    columns = (
        Column(Text("指标", "Measure"), width=36), Column(Text("目标", "Planned")),
        Column(Text("实际", "Actual")), Column(Text("完成", "Reached")),
    )
    said = {True: Text("是", "yes"), False: Text("否", "no"), None: Text("—", "—")}
    rows = [
        [row.title, shown(row, row.planned), shown(row, row.actual), said[row.reached]]
        for row in aims(found)
    ]
    return Table(Text("绩效目标表", "Performance targets"), columns, rows)


def shown(row: targets.Target, value: int | None) -> str:
    """A planned or actual value as people read it."""
    if value is None:
        return "—"
    return f"{value / 100:g}%" if row.unit == "bp" else count(value)


blueprint.add_app_template_filter(lambda row, name: shown(row, getattr(row, name)), "aim")
