"""What a replay found as charts, and as tables of the same numbers beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from canteen import words
from canteen.papers.charts import bars, lines
from canteen.subsidies.describing import TIERS
from canteen.subsidies.explaining import FUNDERS
from canteen.web.bureau.door import place
from canteen.web.language import locale
from canteen.whatif.results import BANDS
from canteen.words import Text

LONGEST_NAME = 14
MONTHS_A_YEAR = 12
NOW = Text("现行政策", "In force")
DRAFT = Text("第 {n} 号草案", "Draft no. {n}")
UNKNOWN = Text("未知", "Unknown")
SIDES = {
    "elder_fen": Text("给老人", "To elders"),
    "enterprise_fen": Text("给运营企业", "To enterprises"),
    "delivery_fen": Text("送餐", "For deliveries"),
    "total_fen": Text("合计", "In all"),
}


class Cell(NamedTuple):
    """A scenario's sum and meals, each with its difference from the policies in force."""

    fen: int
    more_fen: int | None
    meals: int | None
    more_meals: int | None


class Row(NamedTuple):
    """One line of a table: what it is, the fen of every scenario, its meals where they are told."""

    label: Text | str
    fens: list[int]
    meals: list[int] | None = None

    def cells(self) -> list[Cell]:
        """What stands under each scenario; the policies in force differ from nothing."""
        meals = self.meals or [None] * len(self.fens)
        return [
            Cell(fen, fen - self.fens[0] if n else None, many,
                 many - meals[0] if n and many is not None and meals[0] is not None else None)
            for n, (fen, many) in enumerate(zip(self.fens, meals, strict=True))
        ]  # fmt: skip


class Sheet(NamedTuple):
    """A chart and the table of the same numbers; the first row of all sums comes last."""

    code: str
    title: Text
    label: Text
    chart: Markup
    rows: list[Row]
    total: Row


def sides(outcomes: Sequence[Mapping[str, Any]]) -> list[Row]:
    """What is paid to whom under each scenario, all of it last."""
    return [Row(title, [o["total"][code] for o in outcomes]) for code, title in SIDES.items()]


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
    """A short name for each scenario: the draft's own sentence where it is short, else which."""
    found: list[Text | str] = []
    for outcome in outcomes:
        note = outcome.get("note", "")
        which = DRAFT.format(n=outcome.get("draft_id"))
        name = note if 0 < len(note) <= LONGEST_NAME else which
        found.append(NOW if outcome["code"] == "in_force" else name)
    if len({str(name) for name in found}) < len(found):
        return [NOW, *(DRAFT.format(n=o.get("draft_id")) for o in list(outcomes)[1:])]
    return found


def _sheet(
    code: str, title: Text, label: Text, outcomes: list[Any], names: list[Text | str],
    said: Callable[[str], Text | str], draw: Callable[..., Markup],
) -> Sheet:  # fmt: skip
    keys = sorted({key for outcome in outcomes for key in outcome[code]},
                  key=list(BANDS).index if code == "by_band" else None)  # fmt: skip
    rows = [
        Row(said(key), *([o[code].get(key, {}).get(name, 0) for o in outcomes]
                         for name in ("total_fen", "meals")))
        for key in keys
    ]  # fmt: skip
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
    total = Row(Text("合计", "In all"), _summed(row.fens for row in rows))
    if rows and rows[0].meals is not None:
        total = total._replace(meals=_summed(row.meals or [] for row in rows))
    return Sheet(code, title, label, chart, rows, total)


def _summed(columns: Iterable[list[int]]) -> list[int]:
    """The sums of lists of equal length, place by place."""
    return [sum(each) for each in zip(*columns, strict=True)]


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
