"""What a replay found as a workbook: the paper a policy is decided on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from canteen.papers.tables import Column, Table
from canteen.web.bureau.door import place
from canteen.web.bureau.whatif_sheets import Sheet, series_names, sheets
from canteen.whatif.results import BANDS
from canteen.words import Text, day

Name = Text | str
ABOUT = (Column(Text("项目", "What"), width=18), Column(Text("内容", "Is"), width=70))
TOTALS = (
    Column(Text("方案", "Under"), width=24),
    Column(Text("补贴餐次", "Subsidised meals"), "int"),
    Column(Text("受补贴老人", "Elders subsidised"), "int"),
    Column(Text("给老人(元)", "To elders (yuan)"), "fen"),
    Column(Text("给运营企业(元)", "To enterprises (yuan)"), "fen"),
    Column(Text("送餐(元)", "For deliveries (yuan)"), "fen"),
    Column(Text("合计(元)", "In all (yuan)"), "fen"),
    Column(Text("比现行(元)", "Against in force (yuan)"), "fen"),
)
PEOPLE = (
    Column(Text("草案", "Draft"), width=24),
    Column(Text("年龄", "Age"), width=14),
    Column(Text("受益(人)", "Gain"), "int", summed=True),
    Column(Text("多得(元)", "Gain (yuan)"), "fen", summed=True),
    Column(Text("受损(人)", "Lose"), "int", summed=True),
    Column(Text("少得(元)", "Lose (yuan)"), "fen", summed=True),
    Column(Text("不变(人)", "Same"), "int", summed=True),
    Column(Text("新增(人)", "New"), "int", summed=True),
    Column(Text("不再享受(人)", "Dropped"), "int", summed=True),
)
GROUPS = ("gain", "gain_fen", "lose", "lose_fen", "same", "new", "dropped")


def of_result(result: Mapping[str, Any]) -> list[Table]:
    """Every number of the result's page, each section a sheet, what it is about first."""
    outcomes = result["outcomes"]
    names = series_names(outcomes)
    return [
        Table(Text("说明", "About"), ABOUT, _about(result)),
        Table(Text("一共", "In all"), TOTALS, _totals(outcomes, names)),
        *(_slices(sheet, names) for sheet in sheets(result)),
        Table(Text("受益与受损", "Gain and lose"), PEOPLE, _people(outcomes, names)),
    ]


def _about(result: Mapping[str, Any]) -> Iterator[tuple[Name, Name]]:
    really = result["recorded"]
    sums = sum(really[side] for side in ("elder_fen", "enterprise_fen", "delivery_fen"))
    yield Text("用餐地区", "Eaten in"), place(result["territory"])
    yield Text("从", "From"), day(date.fromisoformat(result["first"]), year=True)
    yield Text("到", "To"), day(date.fromisoformat(result["last"]), year=True)
    yield Text("老人餐单", "Orders of elders"), f"{result['orders']:,}"
    yield Text("老人", "Elders"), f"{result['elders']:,}"
    for outcome in result["outcomes"][1:]:
        mark = result["digests"][str(outcome["draft_id"])]
        yield (
            Text("草案", "Draft"),
            f"#{outcome['draft_id']} {outcome['code']} {outcome['note']} [{mark}]",
        )
    yield Text("实际发放餐次", "Really granted, meals"), f"{really['meals']:,}"
    yield Text("实际发放(元)", "Really granted, yuan"), f"{sums / 100:,.2f}"
    yield Text("没有计价依据", "Facts not kept"), f"{result['without_facts']:,}"
    yield (
        Text("假定", "Assumed"),
        Text(
            "没有人因此多吃或少吃；每一餐用当天登记的事实重新计价，次数按草案逐餐重数",
            "Nobody eats more or less for it; each meal is priced with the facts of its day, the"
            " caps are counted anew",
        ),
    )


def _totals(outcomes: Sequence[Mapping[str, Any]], names: list[Name]) -> Iterator[list[Any]]:
    before = outcomes[0]["total"]["total_fen"]
    for name, outcome in zip(names, outcomes, strict=True):
        total = outcome["total"]
        yield [
            name, total["meals"], outcome["everybody"]["subsidised"], total["elder_fen"],
            total["enterprise_fen"], total["delivery_fen"], total["total_fen"],
            None if outcome is outcomes[0] else total["total_fen"] - before,
        ]  # fmt: skip


def _slices(sheet: Sheet, names: list[Name]) -> Table:
    """One way to slice the cost: meals, where they are told, and yuan under each scenario."""
    columns, told = [Column(sheet.label, width=20)], sheet.total.meals is not None
    for n, name in enumerate(names):
        if told:
            columns.append(_column("{name}：餐次", "{name}: meals", name, "int"))
        columns.append(_column("{name}(元)", "{name} (yuan)", name, "fen"))
        if n:
            columns.append(_column("{name}比现行(元)", "{name}: against in force", name, "fen"))

    def rows() -> Iterator[list[Any]]:
        for row in sheet.rows:
            line: list[Any] = [row.label]
            for cell in row.cells():
                line += [cell.meals] if told else []
                line += [cell.fen] + ([] if cell.more_fen is None else [cell.more_fen])
            yield line

    return Table(sheet.title, tuple(columns), rows())


def _column(zh: str, en: str, name: Name, kind: Any) -> Column:
    return Column(Text(zh, en).format(name=name), kind, summed=True)


def _people(outcomes: Sequence[Mapping[str, Any]], names: list[Name]) -> Iterator[list[Any]]:
    for name, outcome in zip(names[1:], outcomes[1:], strict=True):
        for band, group in outcome["people"].items():
            yield [name, BANDS[band], *(group[each] for each in GROUPS)]
