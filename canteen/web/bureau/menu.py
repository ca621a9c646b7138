"""The desk's menu: what belongs together, who may open it, and what waits behind it.

A page of the desk is added by one line here. A line whose page does not exist is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request, url_for

from canteen.territory.actors import BUREAU, DECIDERS, Actor
from canteen.web.language import t
from canteen.words import Text

ALL = (*BUREAU, "evaluator")
Tab = tuple[str, str, bool, int]


@dataclass(frozen=True)
class Item:
    """A page of the menu: its words, its endpoint, who may open it, whose count it shows, and
    the pages behind it whose address lies elsewhere."""

    words: Text
    endpoint: str
    roles: tuple[str, ...] = BUREAU
    waiting: str = ""
    also: tuple[str, ...] = ()


MENU: tuple[tuple[Text, tuple[Item, ...]], ...] = (
    (Text("待办", "To do"), (Item(Text("待办", "To do"), "desk"),)),
    (
        Text("结算", "Settlement"),
        (
            Item(Text("结算单", "Statements"), "statements", waiting="statements",
                 also=("meal", "meal_story", "withdraw_correction")),
            Item(Text("疑点", "Findings"), "findings", waiting="findings"),
            Item(Text("申诉", "Appeals"), "appeals", waiting="appeals"),
            Item(Text("事后调整", "Adjustments"), "adjustments", also=("spread",)),
            Item(Text("补领申请", "Claims"), "claims", waiting="claims"),
            Item(Text("待收回", "To get back"), "receivables", also=("note_repayment",)),
            Item(Text("审核规则", "Review rules"), "review_rules", DECIDERS),
            Item(Text("检查设置", "Check settings"), "check_settings", DECIDERS),
        ),
    ),
    (
        Text("付款", "Payments"),
        (
            Item(Text("付款", "Payouts"), "list_payouts", ("city",), "payouts"),
            Item(Text("付款批次", "Batches"), "batches", ("city",), "batches"),
            Item(Text("账户变更", "Changed accounts"), "bank_changes", waiting="bank_changes"),
            Item(Text("对账", "Reconciliation"), "reconciliation", DECIDERS),
            Item(Text("待寄通知", "Letters"), "letters", waiting="letters"),
        ),
    ),
    (
        Text("资金", "Funds"),
        (
            Item(Text("预算", "Budgets"), "budgets", DECIDERS, "budgets"),
            Item(Text("年度清算", "Yearly true-up"), "true_ups", DECIDERS,
                 also=("set_targets",)),
            Item(Text("账本", "Books"), "books", DECIDERS),
        ),
    ),
    (
        Text("食堂", "Canteens"),
        (
            Item(Text("食堂", "Canteens"), "list_canteens", ALL, "proposals",
                 also=("list_papers", "decide")),
            Item(Text("评估", "Evaluation"), "evaluation", ALL, also=("inspection",)),
        ),
    ),
    (
        Text("老人", "Elders"),
        (Item(Text("老人", "Elders"), "list_elders", also=("end_fact", "withdraw_fact")),),
    ),
    (
        Text("政策", "Policies"),
        (
            Item(Text("政策", "Policies"), "list_policies", ALL),
            Item(Text("草案与试算", "Drafts and what-if"), "drafts", DECIDERS),
            Item(Text("标准套餐", "Standard set"), "prices", DECIDERS,
                 also=("offline_rule", "set_offline_rule")),
        ),
    ),
    (
        Text("数据", "Figures"),
        (
            Item(Text("图表", "Charts"), "figures"),
            Item(Text("后台任务", "Long work"), "list_tasks"),
            Item(Text("操作记录", "Trail"), "trail_page", DECIDERS),
        ),
    ),
)
ELSEWHERE = {name for _, items in MENU for item in items for name in item.also}


def tabs(by: Actor, counts: dict[str, int]) -> tuple[list[Tab], list[Tab]]:
    """The menu of this reader: its groups, and the pages of the group they are in."""
    groups, inner = [], []
    for words, items in MENU:
        pages = [_tab(item, counts) for item in items if by.role in item.roles and _exists(item)]
        if not pages:
            continue
        current = any(page[2] for page in pages)
        waits = sum(page[3] for page in pages)
        if pages[0][1] == url_for("bureau.desk"):
            waits = sum(counts.values())
        label = t(*words) if len(pages) > 1 else pages[0][0]
        groups.append((label, pages[0][1], current, waits))
        if current and len(pages) > 1:
            inner = pages
    return groups, inner


def _exists(item: Item) -> bool:
    return f"bureau.{item.endpoint}" in current_app.view_functions


def _tab(item: Item, counts: dict[str, int]) -> Tab:
    url, here = url_for(f"bureau.{item.endpoint}"), request.path
    name = (request.endpoint or "").removeprefix("bureau.")
    under = here == url or (item.endpoint != "desk" and here.startswith(url + "/"))
    current = name in item.also if name in ELSEWHERE else under
    return t(*item.words), url, current, counts.get(item.waiting, 0)
