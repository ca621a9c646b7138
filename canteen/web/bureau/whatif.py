"""What-if pages: drafts tried on past meals, with charts and the same numbers beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from canteen import clock, words
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.papers.charts import bars, lines
from canteen.subsidies import drafting
from canteen.subsidies.describing import TIERS
from canteen.subsidies.explaining import FUNDERS
from canteen.subsidies.models import PolicyDraft
from canteen.tasks import asking as tasks
from canteen.territory.actors import Actor
from canteen.territory.models import city_of
from canteen.web.bureau.door import DECIDERS, blueprint, grounds, place
from canteen.web.errors import status_of
from canteen.web.forms import Fields
from canteen.web.guards import actor, guard
from canteen.web.language import locale, t
from canteen.whatif import asking
from canteen.whatif.results import BANDS
from canteen.words import Text

LONGEST_NAME = 14
MONTHS_A_YEAR = 12
NOW = Text("现行政策", "In force")
UNKNOWN = Text("未知", "Unknown")
SIDES = {
    "elder_fen": Text("给老人", "To elders"),
    "enterprise_fen": Text("给运营企业", "To enterprises"),
    "delivery_fen": Text("送餐", "For deliveries"),
    "total_fen": Text("合计", "In all"),
}


class Row(NamedTuple):
    """One line of a table: what it is, and the fen of every scenario."""

    label: Text | str
    fens: list[int]

    def cells(self) -> list[tuple[int, int | None]]:
        """Each sum with its difference from the policies in force; those have none."""
        return [(fen, fen - self.fens[0] if n else None) for n, fen in enumerate(self.fens)]


class Sheet(NamedTuple):
    """A chart and the table of the same numbers; the first row of all sums comes last."""

    code: str
    title: Text
    label: Text
    chart: Markup
    rows: list[Row]
    total: Row


@blueprint.get("/drafts/what-if")
@guard(*DECIDERS)
def what_if() -> ResponseReturnValue:
    """Choose one or two drafts, a period and a ground."""
    return _form()


def _form(refusal: CanteenError | None = None) -> ResponseReturnValue:
    by, today = actor(), clock.business_date()
    first, last = asking.usual_period(today)
    rows = db.session.scalars(
        sa.select(PolicyDraft).where(drafting.visible(by), PolicyDraft.state != "withdrawn")
        .order_by(PolicyDraft.id.desc())
    ).all()  # fmt: skip
    options = [(row.id, row.note or row.code, f"{row.code} · {t(*drafting.STATES[row.state])}")
               for row in rows]  # fmt: skip
    given = request.form or request.args
    html = render_template(
        "bureau/draft_what_if.html", drafts=options, given=given, first=first, last=last,
        chosen=[int(n) for n in given.getlist("draft") if n.isascii() and n.isdigit()],
        grounds=_grounds(by), refusal=refusal, today=today,
    )  # fmt: skip
    return html, status_of(refusal)[0] if refusal else 200


def _grounds(by: Actor) -> list[tuple[str, Text | str]]:
    """The actor's whole ground first, then a city's districts."""
    own = by.territory or ""
    inside = grounds(by) if own == city_of(own) else []
    return [(own, place(own)), *inside]


@blueprint.post("/drafts/what-if")
@guard(*DECIDERS)
def ask_what_if() -> ResponseReturnValue:
    """Begin the replay and go to where it can be waited for."""
    by = actor()
    try:
        asked = _asked(Fields(request.form), by)
        with transaction():
            task_id = tasks.start(asking.KIND, asked, by, at=clock.now()).id
    except CanteenError as refusal:
        return _form(refusal)
    return redirect(url_for("bureau.task", task_id=task_id), 303)


def _asked(fields: Fields, by: Actor) -> dict[str, Any]:
    chosen = [int(n) for n in fields.given.getlist("draft") if n.isascii() and n.isdigit()]
    first, last = fields.day("first"), fields.day("last")
    assert first and last  # they are required
    territory = fields.text("territory", most=9)
    return asking.wish(chosen, first, last, territory, by)


def sheets(result: Mapping[str, Any]) -> list[Sheet]:
    """Every side of the cost, with its chart in the reader's language."""
    outcomes = result["outcomes"]
    names = series_names(outcomes)
    months = Text("按月", "By month")
    found = [
        _sheet("by_month", months, Text("月份", "Month"), outcomes, names, words.month, lines),
        _funders(outcomes, names),
    ]
    for code, title, label, said in (
        ("by_district", Text("按区", "By district"), Text("区", "District"), place),
        ("by_band", Text("按年龄", "By age"), Text("年龄", "Age"), BANDS.__getitem__),
        ("by_tier", Text("按食堂等级", "By tier"), Text("等级", "Tier"),
         lambda key: TIERS[int(key)] if key else UNKNOWN),
    ):  # fmt: skip
        found.append(_sheet(code, title, label, outcomes, names, said, bars))
    return found


def series_names(outcomes: Iterable[Mapping[str, Any]]) -> list[Text | str]:
    """A short name for each scenario: the draft's own sentence where it is short."""
    found: list[Text | str] = []
    for outcome in outcomes:
        note = outcome.get("note", "")
        name = note if 0 < len(note) <= LONGEST_NAME else outcome["code"]
        found.append(NOW if outcome["code"] == "in_force" else name)
    if len({str(name) for name in found}) < len(found):
        return [NOW, *(f"{o['code']} #{o.get('draft_id')}" for o in list(outcomes)[1:])]
    return found


def _sheet(
    code: str, title: Text, label: Text, outcomes: list[Any], names: list[Text | str],
    said: Callable[[str], Text | str], draw: Callable[..., Markup],
) -> Sheet:  # fmt: skip
    keys = sorted({key for outcome in outcomes for key in outcome[code]},
                  key=list(BANDS).index if code == "by_band" else None)  # fmt: skip
    rows = [
        Row(said(key), [o[code].get(key, {}).get("total_fen", 0) for o in outcomes]) for key in keys
    ]
    labels = _short_months(keys) if code == "by_month" else ()
    return _drawn(code, title, label, rows, names, draw, labels)


def _short_months(periods: list[str]) -> list[Text]:
    """Months as short as an axis has room for: without the year where each comes once."""
    found = []
    for period in periods:
        year, number = period.split("-")
        name = words.month(period).en.split()[0]
        once = len(periods) <= MONTHS_A_YEAR
        zh = f"{int(number)}月"
        found.append(Text(zh, name) if once else Text(f"{year[2:]}年{zh}", f"{name} {year[2:]}"))
    return found


def _funders(outcomes: list[Any], names: list[Text | str]) -> Sheet:
    """What each purse pays, all sides together."""
    codes = sorted({code for outcome in outcomes for code in outcome["by_funder"]})
    rows = [
        Row(FUNDERS.get(code, Text(code, code)),
            [sum(o["by_funder"].get(code, {}).values()) for o in outcomes])
        for code in codes
    ]  # fmt: skip
    title, label = Text("按出资方", "By funder"), Text("出资方", "Funder")
    return _drawn("by_funder", title, label, rows, names, bars)


def _drawn(
    code: str, title: Text, label: Text, rows: list[Row], names: list[Text | str],
    draw: Callable[..., Markup], labels: Sequence[Text] = (),
) -> Sheet:  # fmt: skip
    series = {name: [row.fens[n] for row in rows] for n, name in enumerate(names)}
    lying = {"lying": True} if code in ("by_district", "by_band") else {}
    said = Text("补贴支出，{title}", "Cost {title}").format(title=Text(title.zh, title.en.lower()))
    chart = draw(
        said, labels or [row.label for row in rows], series, unit=Text("元", "yuan"), kind="fen",
        locale=locale(), **lying,
    )  # fmt: skip
    sums = [sum(row.fens[n] for row in rows) for n in range(len(names))]
    return Sheet(code, title, label, chart, rows, Row(Text("合计", "In all"), sums))


def people(outcome: Mapping[str, Any]) -> Markup:
    """How many gain and how many lose, by age."""
    bands = [band for band in BANDS if band in outcome["people"]]
    return bars(
        Text("受益与受损的人", "Who gains and who loses"), [BANDS[band] for band in bands],
        {
            Text("受益", "Gain"): [outcome["people"][band]["gain"] for band in bands],
            Text("受损", "Lose"): [outcome["people"][band]["lose"] for band in bands],
        },
        unit=Text("人", "persons"), tones=("jade", "vermilion"), locale=locale(), lying=True,
    )  # fmt: skip


@blueprint.get("/drafts/what-if/<int:task_id>")
@guard(*DECIDERS)
def what_if_result(task_id: int) -> ResponseReturnValue:
    """What came of a replay; until it is done, how far it is."""
    task = tasks.get_for(actor(), task_id)
    if task.kind != asking.KIND or task.state != "done":
        return redirect(url_for("bureau.task", task_id=task_id), 303)
    return shown(task.result)


def shown(result: Mapping[str, Any]) -> str:
    """The page of a finished replay."""
    outcomes = result["outcomes"]
    sides = [Row(title, [o["total"][code] for o in outcomes]) for code, title in SIDES.items()]
    return render_template(
        "bureau/draft_result.html", result=result, outcomes=outcomes, sides=sides, bands=BANDS,
        names=series_names(outcomes), sheets=sheets(result),
        people=[people(outcome) for outcome in outcomes[1:]],
        first=date.fromisoformat(result["first"]), last=date.fromisoformat(result["last"]),
    )  # fmt: skip
