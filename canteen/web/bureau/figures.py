"""Charts of meals, subsidies and findings by month, ground and tier, with the numbers behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import TIERS
from canteen.papers import charts
from canteen.papers.tables import Column, Table, in_words
from canteen.settlements import figures as counting
from canteen.settlements.figures import Figures, Sums, Wanted
from canteen.territory.actors import Actor
from canteen.web.bureau import exports
from canteen.web.bureau.door import asked, blueprint, grounds
from canteen.web.guards import actor
from canteen.web.language import locale
from canteen.words import MONTHS_EN, Text

MONTHS = 12
MEALS = Text("补贴餐次", "Subsidised meals")
UNITS = {"meals": Text("餐", "meals"), "money": Text("元", "yuan"), "found": Text("件", "findings")}
SIDES = {
    "elder_fen": Text("老人补贴", "Elders"), "enterprise_fen": Text("运营补贴", "Enterprise"),
    "delivery_fen": Text("送餐补贴", "Delivery"),
}  # fmt: skip
OUTCOMES = {
    "undecided": Text("待处理", "Undecided"), "paid": Text("核准支付", "To be paid"),
    "denied": Text("不予支付", "Denied"),
}  # fmt: skip
OUTCOME_TONES = ("amber", "jade", "vermilion")


def wished(by: Actor) -> Wanted:
    """What the address asks for: the last twelve months unless it says."""
    year, number = (int(part) for part in clock.period_of(clock.business_date()).split("-"))
    number += 12 * year - MONTHS
    last = exports.asked_period("to", clock.period_of(clock.business_date()))
    first = exports.asked_period("from", f"{number // 12:04d}-{number % 12 + 1:02d}")
    first, last = sorted((first, last))
    first = counting.span(first, last)[0]
    tier = asked("tier", {str(tier) for tier in TIERS})
    return Wanted(first, last, asked("territory", dict(grounds(by))), int(tier) if tier else None)


def short_month(period: str, with_year: bool) -> Text:
    """A month as an axis names it: 5月, with its year in January or where years would mix."""
    year, number = period.split("-")
    zh, en = f"{int(number)}月", MONTHS_EN[int(number) - 1]
    if with_year or number == "01":
        return Text(f"{year[2:]}年{zh}", f"{en} {year[2:]}")
    return Text(zh, en)


def drawn(found: Figures) -> dict[str, list[Any]]:
    """The charts of the page, by section."""
    ground = counting.WITHIN[found.within]
    tiers = {TIERS[tier]: sums for tier, sums in found.tiers.items()}
    several = len(found.months) > MONTHS
    months = {short_month(period, several): sums for period, sums in found.months.items()}
    return {
        "months": _three(Text("每月", "By month"), months, lying=False),
        "grounds": _three(Text(f"各{ground.zh}", f"By {ground.en.lower()}"), found.grounds),
        "tiers": _three(Text("各等级", "By tier"), tiers),
    }


def _three(by: Text, sums: Mapping[Text, Sums], lying: bool = True) -> list[Any]:
    """Meals, subsidies and findings over the same labels."""
    labels, rows = list(sums), list(sums.values())

    def column(name: str) -> Sequence[int]:
        return [getattr(row, name) for row in rows]

    def titled(what: Text) -> Text:
        return Text("{by}{what}", "{what}, {by}").format(
            by=Text(by.zh, by.en[0].lower() + by.en[1:]), what=what
        )

    language = locale()
    subsidies = {words: column(name) for name, words in SIDES.items() if any(column(name))}
    return [
        charts.bars(titled(MEALS), labels, {MEALS: column("meals")}, unit=UNITS["meals"],
                    lying=lying, locale=language),
        charts.bars(titled(Text("补贴金额", "Subsidies")), labels,
                    subsidies or {SIDES["elder_fen"]: column("elder_fen")}, unit=UNITS["money"],
                    kind="fen", stacked=True, lying=lying, locale=language),
        charts.bars(titled(Text("检查疑点", "Findings of the checks")), labels,
                    {words: column(name) for name, words in OUTCOMES.items()},
                    unit=UNITS["found"], stacked=True, lying=lying, tones=OUTCOME_TONES,
                    locale=language),
    ]  # fmt: skip


def sheets(kind: str, found: Figures) -> list[Table]:
    """The tables of the page; for CSV, which holds one, all in one: each row says by what."""
    parts = counting.tables_of(found)
    if kind != "csv":
        return parts
    columns = (Column(Text("口径", "Told apart")), Column(Text("名称", "Name")), *counting.COLUMNS)
    return [Table(
        Text("数据", "Figures"), columns,
        ((part.title, *row) for part in parts for row in part.rows),
    )]  # fmt: skip


@blueprint.get("/figures")
def figures() -> ResponseReturnValue:
    """The figures of one's ground, as charts and as tables."""
    by = actor()
    wanted = wished(by)
    found = counting.figures(by, wanted)
    tables = dict(zip(("months", "grounds", "tiers"), counting.tables_of(found), strict=True))
    return render_template(
        "bureau/figures.html", wanted=wanted, found=found, charts=drawn(found), tables=tables,
        grounds=grounds(by), tiers=TIERS, total=found.total, in_words=in_words,
    )


@blueprint.post("/figures.<any(xlsx, csv):kind>")
def figures_file(kind: str) -> ResponseReturnValue:
    """The same numbers: a workbook with a sheet for each table, or all of them as one CSV."""
    by = actor()
    wanted = wished(by)
    name = Text("数据_{first}_{last}", "figures_{first}_{last}").format(
        first=wanted.first, last=wanted.last
    )
    return exports.taken_out(
        by, kind, name, ("figures", exports.ground_of(by)),
        exports.tables(kind, lambda: sheets(kind, counting.figures(by, wanted))),
        **{what: value for what, value in vars(wanted).items() if value},
    )  # fmt: skip
