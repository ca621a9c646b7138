"""`canteen what-if`: what past meals would have cost under a draft policy, and who would gain."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import click
import sqlalchemy as sa
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from canteen.db import db
from canteen.money import yuan
from canteen.subsidies.explaining import FUNDERS
from canteen.subsidies.reading import read_file
from canteen.territory.models import Territory
from canteen.whatif.replaying import replay
from canteen.whatif.results import BANDS, Outcome, Result, Sums
from canteen.words import Text, month

DAY = click.DateTime(["%Y-%m-%d"])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("what-if")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE [FILE2]")
@click.option("--from", "first", type=DAY, required=True, metavar="DATE", help="The first day.")
@click.option("--to", "last", type=DAY, required=True, metavar="DATE", help="The last day.")
@click.option("--territory", metavar="CODE", help="Where it was eaten; default: the whole city.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, every sum in fen.")
@with_appcontext
def what_if(
    files: tuple[Path, ...], first: datetime, last: datetime, territory: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Replay the policy drafts in FILE and FILE2 over the meals elders really ate.

    Shows, beside what the policies in force cost: the cost by funder, district, age, tier and
    month, and how many elders gain or lose how much. Nothing is saved. A draft that cannot be
    read or replayed is refused with exit code 2.
    """
    drafts = [read_file(path) for path in files]
    watched = Console(stderr=True)
    with Progress(console=watched, transient=True, disable=not watched.is_terminal) as progress:
        task = progress.add_task("what-if", total=1.0)
        result = replay(
            drafts, first.date(), last.date(), territory,
            tick=lambda share: progress.update(task, completed=share),
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False, indent=1))
        return
    console = Console()
    console.print(
        f"{result.first} – {result.last}  {result.territory}: {result.orders:,} orders of"
        f" {result.elders:,} elders; {result.without_facts:,} without facts are left out"
    )
    for table in _tables(result):
        console.print(table)


def _tables(result: Result) -> list[Table]:
    found = db.session.scalars(sa.select(Territory).where(Territory.level == "district"))
    districts = {each.code: Text(each.name_zh, each.name_en) for each in found}
    return [
        _totals(result),
        _funders(result),
        _slices(result, "by_district", Text("区", "District"), lambda code: districts[code]),
        _slices(result, "by_band", Text("年龄", "Age"), lambda code: BANDS[code]),
        _slices(result, "by_tier", Text("食堂类别", "Tier"), lambda code: Text(code, code)),
        _slices(result, "by_month", Text("月份", "Month"), month),
        *(_people(draft) for draft in result.drafts),
    ]


def _totals(result: Result) -> Table:
    table = _table(result, Text("合计", "Total"))
    meals = [outcome.total.meals for outcome in result.outcomes]
    elders = [outcome.everybody().subsidised for outcome in result.outcomes]
    table.add_row("补贴餐次 / Subsidised meals", *_numbers(meals))
    table.add_row("补贴老人 / Elders subsidised", *_numbers(elders))
    for name, title in (
        ("elder_fen", "老人补贴 / For elders"),
        ("enterprise_fen", "运营补贴 / For enterprises"),
        ("delivery_fen", "送餐补贴 / For deliveries"),
        ("total_fen", "合计 / Total"),
    ):
        table.add_row(title, *_yuan([getattr(o.total, name) for o in result.outcomes]))
    really = result.recorded
    granted = really.elder_fen + really.enterprise_fen + really.delivery_fen
    table.caption = (
        f"实际发放 / Really granted: {really.meals:,} · {yuan(granted)}"
        " (差异来自取消、暂扣和核减的餐 / they differ by meals cancelled, held or denied)"
    )
    return table


def _funders(result: Result) -> Table:
    table = _table(result, Text("出资方", "Funder"))
    for funder in sorted({code for o in result.outcomes for code in o.by_funder}):
        sums = [sum(o.by_funder.get(funder, {}).values()) for o in result.outcomes]
        table.add_row(_both(FUNDERS.get(funder, Text(funder, funder))), *_yuan(sums))
    return table


def _slices(
    result: Result, name: str, title: Text, words: Callable[[str], Text]
) -> Table:
    """Meals and cost by district, age band, tier or month."""
    table = _table(result, title)
    slices: list[dict[str, Sums]] = [getattr(outcome, name) for outcome in result.outcomes]
    order = list(BANDS) if name == "by_band" else None
    keys = sorted({key for each in slices for key in each}, key=order.index if order else None)
    for key in keys:
        sums = [each.get(key, Sums()) for each in slices]
        cells = [f"{each.meals:,} · {yuan(each.total_fen)}" for each in sums]
        table.add_row(_both(words(key)), *cells)
    return table


def _people(draft: Outcome) -> Table:
    table = Table(title=f"{draft.code}: 谁受益、谁受损 / Who gains, who loses")
    table.add_column("年龄 / Age")
    for head in ("受益 / Gain", "元 / Yuan", "受损 / Lose", "元 / Yuan", "新增 / New",
                 "不再享受 / Dropped", "不变 / Same"):  # fmt: skip
        table.add_column(head, justify="right")
    rows = [(_both(BANDS[band]), people) for band, people in draft.people.items()]
    for title, people in (*rows, ("合计 / All", draft.everybody())):
        table.add_row(
            title, f"{people.gain:,}", yuan(people.gain_fen), f"{people.lose:,}",
            yuan(people.lose_fen), f"{people.new:,}", f"{people.dropped:,}", f"{people.same:,}",
        )  # fmt: skip
    return table


def _table(result: Result, title: Text) -> Table:
    table = Table(title=_both(title))
    table.add_column("")
    for outcome in result.outcomes:
        shown = outcome is result.in_force
        table.add_column(_both(outcome.title) if shown else outcome.code, justify="right")
    return table


def _numbers(numbers: Sequence[int]) -> list[str]:
    """The baseline, then each draft with its difference from it."""
    return [f"{numbers[0]:,}", *(f"{n:,} ({n - numbers[0]:+,})" for n in numbers[1:])]


def _yuan(fens: Sequence[int]) -> list[str]:
    return [
        yuan(fens[0]),
        *(f"{yuan(n)} ({'+' if n >= fens[0] else ''}{yuan(n - fens[0])})" for n in fens[1:]),
    ]


def _both(text: Text) -> str:
    return text.zh if text.zh == text.en else f"{text.zh} / {text.en}"
